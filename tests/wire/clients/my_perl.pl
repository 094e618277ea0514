# DBD::mysql and DBD::MariaDB with server-side prepares: types sent once, cached metadata, CLOSE and QUIT in one segment.
use strict;
use DBI;
for my $driver (['mysql', 'mysql_server_prepare'], ['MariaDB', 'mariadb_server_prepare']) {
	my ($name, $option) = @$driver;
	my $db = DBI->connect("DBI:$name:database=d;host=$ENV{MYSQL_HOST};port=$ENV{MYSQL_TCP_PORT}", 'app', 'app', { RaiseError => 1, PrintError => 0, $option => 1 });
	$db->do('create or replace table t (id int primary key, name varchar(20))');
	my $s = $db->prepare('insert into t values (?, ?)');
	$s->execute($_, "name $_") for 1 .. 3;
	$s = $db->prepare('select name, id from t where id = ?');
	for (1 .. 4) {
		$s->execute($_);
		$s->fetchall_arrayref;
	}
	eval { $db->do('select * from nowhere') };
	$db->begin_work;
	$db->do('update t set name = ? where id = ?', undef, 'x', 1);
	$db->rollback;
	$db->do('drop table t');
	$db->ping;
	$db->disconnect;
}
