\startpipeline
select 1;
select :client_id + 1;
select 3;
\endpipeline
