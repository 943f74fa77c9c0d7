// java -cp JAR Browse.java LIBRARY CATALOG: what programs ask of xerial's JDBC driver that show which tables there are.

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Properties;

public class Browse {
    public static void main(String[] arguments) throws Exception {
        Properties options = new Properties();
        options.setProperty("enable_load_extension", "true");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + arguments[1], options)) {
            try (PreparedStatement load = connection.prepareStatement("SELECT load_extension(?)")) {
                load.setString(1, arguments[0]);
                load.execute();
            }
            DatabaseMetaData about = connection.getMetaData();
            count(about.getCatalogs());
            count(about.getSchemas());
            count(about.getTableTypes());
            count(about.getTypeInfo());
            ArrayList<String> tables = new ArrayList<>();
            try (ResultSet rows = about.getTables(null, null, "%", null)) {
                while (rows.next()) tables.add(rows.getString("TABLE_NAME"));
            }
            int columns = 0, keys = 0;
            for (String table : tables) {
                columns += count(about.getColumns(null, null, table, "%"));
                keys += count(about.getPrimaryKeys(null, null, table));
                count(about.getImportedKeys(null, null, table));
                count(about.getExportedKeys(null, null, table));
                try {
                    count(about.getIndexInfo(null, null, table, false, true));
                } catch (SQLException error) {
                    // Of a virtual table that is WITHOUT ROWID, SQLite lists an index of no column, and the driver makes no SQL of that.
                    if (!error.getMessage().contains("syntax error")) throw error;
                }
            }
            System.out.printf("{\"tables\": %d, \"columns\": %d, \"keys\": %d}%n", tables.size(), columns, keys);
        }
    }

    private static int count(ResultSet rows) throws SQLException {
        try (rows) {
            int found = 0;
            while (rows.next()) found++;
            return found;
        }
    }
}
