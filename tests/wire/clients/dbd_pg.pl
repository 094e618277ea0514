# SPDX-License-Identifier: Apache-2.0
# DBD::Pg: unnamed first, then dbdpg_p…, typed OIDs, DEALLOCATE by SQL, a failed transaction, COPY.
use strict;
use DBI;
my $db = DBI->connect("dbi:Pg:dbname=app;host=$ENV{PGHOST};port=$ENV{PGPORT}", 'app', '', {RaiseError => 1, PrintError => 0});
$db->do('create temp table t (id int, name text)');
$db->do('insert into t values (?, ?)', undef, 1, 'one');
my $s = $db->prepare('select name from t where id = ?');
for my $id (1 .. 3) {
	$s->execute($id);
	$s->fetchall_arrayref;
}
undef $s;
$db->begin_work;
eval { $db->do('select 1/0') };
$db->rollback;
$db->do('copy t from stdin');
$db->pg_putcopydata("7\tseven\n");
$db->pg_putcopyend;
$db->disconnect;
