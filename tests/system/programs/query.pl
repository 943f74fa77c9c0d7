# perl query.pl LIBRARY CATALOG: DBI with DBD::SQLite.
use strict;
use warnings;
use utf8;
use DBI;
use JSON::PP;

my ($library, $catalog) = @ARGV;
my $connection = DBI->connect("dbi:SQLite:dbname=$catalog", "", "", {RaiseError => 1, PrintError => 0, sqlite_unicode => 1});
$connection->sqlite_enable_load_extension(1);
$connection->sqlite_load_extension($library);

sub one {
    my ($sql, @values) = @_;
    return 0 + $connection->selectrow_array($sql, undef, @values);
}

eval { one("SELECT max(value) FROM events") };
my $refused = $@;
print JSON::PP->new->utf8->encode({
    lists => one("SELECT count(*) FROM lists"),
    names => $connection->selectcol_arrayref("SELECT name FROM lists ORDER BY name LIMIT 3"),
    members => one("SELECT count(*) FROM lists l JOIN list_profiles m ON m.list_id = l.id WHERE l.name = ?", "Newsletter"),
    listed => (grep { /"events"$/ } $connection->tables) ? JSON::PP::true : JSON::PP::false,
    refused => $refused =~ /max_requests/ ? JSON::PP::true : $refused,
}), "\n";
$connection->disconnect;
