#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# DBD::mysql or DBD::MariaDB, named by the argument: emulated and server-side statements, several results, LOAD DATA LOCAL, asynchronous queries.
use strict;
use warnings;
use DBI;
use Digest::MD5 qw(md5_hex);
use File::Temp;

$| = 1;
binmode STDOUT, ':raw';
my $driver = shift;
my $prefix = lc $driver;

sub section { print "== $_[0]\n" }
sub show { print join(' | ', map { defined $_ ? $_ : 'NULL' } @_), "\n" }

sub connected {
	my %more = @_;
	my $source = "dbi:$driver:database=$ENV{MYSQL_DATABASE};host=$ENV{MYSQL_HOST};port=$ENV{MYSQL_TCP_PORT};${prefix}_local_infile=1";
	$source .= ";${prefix}_multi_statements=1" unless $more{server};
	return DBI->connect($source, $ENV{MYSQL_USER}, $ENV{MYSQL_PWD},
		{ RaiseError => 1, PrintError => 0, AutoCommit => 1, "${prefix}_server_prepare" => $more{server}, "${prefix}_auto_reconnect" => 0 });
}

my $db;
my $native;   # statements prepared on the server; these drivers have neither several results nor streamed rows with them

sub attempt {
	my ($sql, @values) = @_;
	my $statement;
	eval {
		$statement = $db->prepare($sql);
		$statement->execute(@values);
		do {
			if ($statement->{NUM_OF_FIELDS}) {
				show(@$_) for @{ $statement->fetchall_arrayref };
			} else {
				show($statement->rows);
			}
		} while (!$native && $statement->more_results);
		1;
	} or show($DBI::err, $DBI::state, $@ =~ s/ at \S+ line \d+.*//sr);
}

sub streamed {
	section('cursors');
	my $stream = $db->prepare('SELECT n FROM numbers', { "${prefix}_use_result" => 1 });
	my $sum = 0;
	$stream->execute;
	while (my ($n) = $stream->fetchrow_array) { $sum += $n }
	show($sum);
}

sub killed_from_outside {
	my $sleeper = $db->prepare('SELECT SLEEP(60)', { mariadb_async => 1 });
	my $killer = connected(server => 0);
	my $id;
	$sleeper->execute;
	($id) = $killer->selectrow_array("SELECT id FROM information_schema.processlist WHERE info = 'SELECT SLEEP(60)'") until $id;
	$killer->do("KILL QUERY $id");
	eval { $sleeper->mariadb_async_result; $sleeper->fetchall_arrayref };
	show($DBI::err);
	$killer->disconnect;
}

for (0, 1) {
	$native = $_;
	$db = connected(server => $native);
	$db->do('DELETE FROM sink');
	section($native ? 'native' : 'emulated');
	section('types');
	attempt('SELECT * FROM types ORDER BY id');
	attempt('SELECT * FROM types WHERE id <> ? ORDER BY id', 9);
	attempt('INSERT INTO bound VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)', 1, '8000000000', '18446744073709551615', 2.25, '12.5', "plain '\\", "\0\1",
		'2024-02-29 13:14:15.161718', undef);
	attempt('SELECT i, l, u, f, d, t, HEX(y), at, missing FROM bound');

	section('prepared');
	my $one = $db->prepare('SELECT t FROM numbers WHERE n = ?');
	for my $n (1 .. 5) {
		$one->execute($n);
		show(@$_) for @{ $one->fetchall_arrayref };
	}
	undef $one;
	attempt('CALL several(?)', 2) unless $native;

	section('errors');
	attempt('SELEC 1');
	attempt('SELEC ?', 1);
	attempt('SELECT 1; SELECT nothing; SELECT 2 AS never') unless $native;
	attempt("INSERT INTO sink VALUES (?, 'one'), (1, 'again')", 1);

	section('transactions');
	$db->begin_work;
	attempt("INSERT INTO sink VALUES (1, 'kept')");
	attempt('SAVEPOINT here');
	attempt("INSERT INTO sink VALUES (?, 'refused')", 1);
	attempt('ROLLBACK TO here');
	$db->commit;
	$db->begin_work;
	attempt('DELETE FROM sink');
	$db->rollback;
	attempt('SELECT * FROM sink');

	section('batch');
	my $insert = $db->prepare('INSERT INTO sink VALUES (?, ?)');
	show(scalar $insert->execute_array({}, [100 .. 299], [map { "many $_" } 100 .. 299]));
	undef $insert;

	streamed() unless $native;

	section('large');
	show(md5_hex($db->selectrow_array("SELECT REPEAT('x', 33554432)"))) unless $native;
	attempt('SELECT LENGTH(?)', 'y' x (15 << 20));
	show($db->ping);
	$db->disconnect;
}

$native = 0;
$db = connected(server => 0);
section('load');
my $file = File::Temp->new;
print $file "$_\tloaded\n" for 1000 .. 40000;
$file->flush;
show($db->do("LOAD DATA LOCAL INFILE '$file' INTO TABLE sink"));

section('kill');
attempt('KILL QUERY CONNECTION_ID()');
killed_from_outside() if $driver eq 'MariaDB';
attempt("SELECT 'after'");
$db->disconnect;
