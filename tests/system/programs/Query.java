// java -cp JAR Query.java LIBRARY CATALOG: xerial's JDBC driver, which DBeaver and Metabase use.

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Properties;

public class Query {
    public static void main(String[] arguments) throws Exception {
        Properties options = new Properties();
        options.setProperty("enable_load_extension", "true");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + arguments[1], options)) {
            try (PreparedStatement load = connection.prepareStatement("SELECT load_extension(?)")) {
                load.setString(1, arguments[0]);
                load.execute();
            }
            String refused;
            try {
                refused = one(connection, "SELECT max(value) FROM events");
            } catch (SQLException error) {
                refused = error.getMessage();
            }
            ArrayList<String> names = new ArrayList<>();
            try (ResultSet rows = connection.createStatement().executeQuery("SELECT name FROM lists ORDER BY name LIMIT 3")) {
                while (rows.next()) names.add(quoted(rows.getString(1)));
            }
            String members = one(connection, "SELECT count(*) FROM lists l JOIN list_profiles m ON m.list_id = l.id WHERE l.name = ?", "Newsletter");
            System.out.printf(
                "{\"lists\": %s, \"names\": [%s], \"members\": %s, \"listed\": %s, \"refused\": %s}%n",
                one(connection, "SELECT count(*) FROM lists"), String.join(", ", names), members, listed(connection.getMetaData()),
                refused.contains("max_requests") ? "true" : quoted(refused));
        }
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }

    private static String one(Connection connection, String sql, String... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) statement.setString(i + 1, values[i]);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                return String.valueOf(rows.getString(1));
            }
        }
    }

    /** As programs ask that show tables and columns. */
    private static boolean listed(DatabaseMetaData about) throws SQLException {
        try (ResultSet tables = about.getTables(null, null, "events", null); ResultSet columns = about.getColumns(null, null, "events", "datetime")) {
            return tables.next() && columns.next() && columns.getString("TYPE_NAME").startsWith("TIMESTAMP");
        }
    }
}
