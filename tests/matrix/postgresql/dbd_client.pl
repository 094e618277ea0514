#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# DBD::Pg: unnamed first then prepared on the server, typed parameters, COPY, asynchronous queries and their cancel, savepoints.
use strict;
use warnings;
use DBI;
use DBD::Pg qw(:pg_types :async);
use Digest::MD5 qw(md5_hex);

$| = 1;
binmode STDOUT, ':raw';

sub section { print "== $_[0]\n" }
sub show { print join(' | ', map { defined $_ ? $_ : 'NULL' } @_), "\n" }
my $db = DBI->connect('dbi:Pg:', $ENV{PGUSER}, $ENV{PGPASSWORD}, { RaiseError => 1, PrintError => 0, AutoCommit => 1, pg_enable_utf8 => 0, pg_expand_array => 0 });

sub attempt {
	my ($sql, @values) = @_;
	my $rows = eval {
		my $statement = $db->prepare($sql);
		$statement->execute(@values);
		$statement->{NUM_OF_FIELDS} ? $statement->fetchall_arrayref : [[$statement->rows]];
	};
	return show($DBI::state, $@ =~ s/ at \S+ line \d+.*//sr) unless $rows;
	show(@$_) for @$rows;
}

section('types');
attempt('SELECT * FROM types ORDER BY id');
attempt('SELECT * FROM types WHERE id <> ? ORDER BY id', 9);
my $bind = $db->prepare('INSERT INTO bound VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
$bind->bind_param(6, undef, { pg_type => PG_BYTEA });
$bind->execute(1, '8000000000', 2.25, '12.5', "Gr\xc3\xbc\xc3\x9fe", "\0\xff", 1, '2024-02-29 13:14:15', undef);
attempt('SELECT * FROM bound');

section('prepared');
my $one = $db->prepare('SELECT t FROM numbers WHERE n = ?');
for my $n (1 .. 5) {
	$one->execute($n);
	show(@$_) for @{ $one->fetchall_arrayref };
}
undef $one;
$one = $db->prepare('SELECT t FROM numbers WHERE n = $1', { pg_prepare_now => 1 });
$one->execute(6);
show($one->fetchrow_array);
undef $one;
{
	local $db->{pg_server_prepare} = 0;
	attempt('SELECT t FROM numbers WHERE n = ?', 7);
}

section('errors');
attempt('SELEC 1');
attempt('SELECT 1 / ?::int', 0);
attempt('SELECT ?::int', 'no number');
eval { $db->do('SELECT 1; SELECT 1 / 0; SELECT 2 AS never') };
show($DBI::state);

section('transactions');
$db->begin_work;
attempt("INSERT INTO sink VALUES (1, 'kept')");
$db->pg_savepoint('here');
attempt('INSERT INTO sink VALUES (?, ?)', 1, 'refused');
attempt("SELECT 'aborted'");
$db->pg_rollback_to('here');
$db->pg_release('here');
$db->commit;
$db->begin_work;
attempt('DELETE FROM sink');
$db->rollback;
attempt('SELECT * FROM sink');

section('cursors');
$db->begin_work;
$db->do('DECLARE c SCROLL CURSOR FOR SELECT n FROM numbers ORDER BY n');
attempt('FETCH 3 FROM c');
attempt('FETCH ABSOLUTE 100 FROM c');
$db->do('CLOSE c');
$db->commit;

section('batch');
my $insert = $db->prepare('INSERT INTO sink VALUES (?, ?)');
show(scalar $insert->execute_array({}, [100 .. 299], [map { "many $_" } 100 .. 299]));
undef $insert;

section('copy');
$db->do('COPY sink FROM STDIN');
$db->pg_putcopydata("$_\tcopied\n") for 1000 .. 20000;
show($db->pg_putcopyend);
$db->do('COPY (SELECT * FROM sink ORDER BY id) TO STDOUT');
my ($all, $line) = ('', '');
$all .= $line while $db->pg_getcopydata($line) >= 0;
show(md5_hex($all));

section('notifications');
$db->do('LISTEN news');
$db->do("NOTIFY news, 'hello'");
my $note = $db->pg_notifies;
show($note->[0], $note->[2]);

section('cancel');
my $sleeper = $db->prepare('SELECT pg_sleep(60)', { pg_async => PG_ASYNC });
$sleeper->execute;
my $observer = DBI->connect('dbi:Pg:', $ENV{PGUSER}, $ENV{PGPASSWORD}, { RaiseError => 1 });
my $active = 0;
($active) = $observer->selectrow_array("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'")
	until $active;
show($sleeper->pg_cancel);
$observer->disconnect;
attempt("SELECT 'after'");

section('large');
show(md5_hex($db->selectrow_array("SELECT repeat('x', 33554432)")));
attempt('SELECT length(?)', 'y' x (32 << 20));
undef $sleeper;
$db->disconnect;
