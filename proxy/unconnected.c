/* SPDX-License-Identifier: Apache-2.0 */
/* unconnected: see unconnected.h. */
#include "unconnected.h"

#include <glob.h>
#include <string.h>

static const struct {
	const char *pattern, *framework, *remedy;
} places[] = {
	{ "*/settings.py", "Django", "read DATABASES from the environment (dj-database-url, or os.environ in HOST and PORT)" },
	{ "*/settings/*.py", "Django", "read DATABASES from the environment (dj-database-url, or os.environ in HOST and PORT)" },
	{ "config/database.yml", "Rails", "use url: <%= ENV['DATABASE_URL'] %>, or leave host and port out" },
	{ ".env", "a .env file",
	    "variables set by rowcall win over it only where the loader does not overwrite them: take host and port out" },
	{ "config/database.php", "Laravel",
	    "clear the cached configuration (php artisan config:clear) so that DB_HOST and DB_PORT are read" },
	{ "prisma/schema.prisma", "Prisma", "use url = env(\"DATABASE_URL\")" },
	{ "ormconfig.*", "TypeORM", "read host and port from the environment" },
	{ "knexfile.*", "Knex", "read the connection from process.env.DATABASE_URL" },
	{ "config/config.json", "Sequelize", "use \"use_env_variable\": \"DATABASE_URL\"" },
	{ "src/main/resources/application.yml", "Spring", "use url: ${SPRING_DATASOURCE_URL}" },
	{ "src/main/resources/application.properties", "Spring", "use spring.datasource.url=${SPRING_DATASOURCE_URL}" },
	{ "config/runtime.exs", "Ecto", "use url: System.get_env(\"DATABASE_URL\")" },
	{ "appsettings*.json", ".NET", "set ConnectionStrings__Default with --env" },
	{ "alembic.ini", "Alembic", "set sqlalchemy.url from the environment in env.py" },
};

void
unconnected_explain(FILE *out, const char *address)
{
	unsigned found = 0;

	fputs(
	    "rowcall: the command never connected to rowcall. Likely the app names its database host in a file, not in the environment:\n",
	    out);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		glob_t files;

		if (glob(places[i].pattern, 0, NULL, &files) == 0) {
			fprintf(out, "  %s (%s): %s\n", files.gl_pathv[0], places[i].framework, places[i].remedy);
			found++;
			globfree(&files);
		}
	}
	if (!found)
		fputs("  pass its own variable with --env NAME='postgresql://{host}:{port}/db'\n", out);
	fprintf(out, "  or fix rowcall's address with --listen %s and put that into the file\n", address);
}
