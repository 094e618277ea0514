-- What every MySQL and MariaDB client of the matrix finds: each common type once filled, once at its edges, once NULL.
CREATE TABLE numbers (n int PRIMARY KEY, t varchar(20));
INSERT INTO numbers WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000) SELECT n, CONCAT('number ', n) FROM c;
CREATE TABLE sink (id int PRIMARY KEY, note varchar(100));
CREATE TABLE counted (id int AUTO_INCREMENT PRIMARY KEY, note varchar(100));
CREATE TABLE bound (i int, l bigint, u bigint unsigned, f double, d decimal(20, 5), t text, y varbinary(100), at datetime(6), missing text);
CREATE TABLE types (
	id int PRIMARY KEY, a_tiny tinyint, a_small smallint, a_medium mediumint, a_big bigint, an_unsigned bigint unsigned, a_decimal decimal(30, 5),
	a_float float, a_double double, a_bit bit(10), a_char char(5), a_varchar varchar(50), a_text text, a_binary varbinary(10), a_blob blob,
	a_date date, a_time time(3), a_datetime datetime(6), a_timestamp timestamp NULL DEFAULT NULL, a_year year, an_enum enum('sad', 'glad'), a_set set('x', 'y'), a_json json)
	CHARACTER SET utf8mb4;
INSERT INTO types VALUES
	(1, 7, 300, 70000, 8000000000, 18446744073709551615, 12345.67890, 1.5, 2.25, b'101', 'abc', 'Grüße, ''quoted'' \\', 'text', x'00ff10',
	'blob', '2024-02-29', '13:14:15.161', '2024-02-29 13:14:15.161718', '2024-02-29 13:14:15', 2024, 'glad', 'x,y', '{"a": [1, 2]}'),
	(2, -128, -32768, -8388608, -9223372036854775808, 0, -99999999999999999999999.00001, -1.5e30, 1e-300, b'0', '', '', '', '', '',
	'1000-01-01', '-838:59:59.000', '9999-12-31 23:59:59.999999', '1970-01-02 00:00:01', 1901, 'sad', '', '[]');
INSERT INTO types (id) VALUES (3);
CREATE PROCEDURE several(IN a int)
BEGIN
	SELECT a AS inside;
	SELECT n, t FROM numbers AS inside WHERE n <= a;
END;
CREATE PROCEDURE fails()
BEGIN
	SELECT 1 AS inside;
	SELECT nothing FROM inside_nowhere;
END;
