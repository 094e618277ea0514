/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run: what cmd_run.c (the command from beginning to end), cmd_run_env.c (what the child finds instead of its databases) and
 * cmd_run_follow.c (the child while it runs) share. Nobody else. */
#ifndef ROWCALL_CMD_RUN_H
#define ROWCALL_CMD_RUN_H

#include "capture.h"
#include "child.h"
#include "config.h"
#include "env_rewrite.h"
#include "private_dir.h"

struct event_base;

struct run {
	const struct settings *settings;
	struct arena *arena;
	struct config cfg;
	struct env env;			/* the child's */
	struct env_databases databases;
	struct private_dir dir;
	struct endpoint *endpoints;	/* by listener */
	struct log *log;
	struct capture *capture;
	struct event_base *base;	/* while the child runs */
	struct child child;
	struct signals signals;
	struct rlimit files;		/* as it was when we started */
	const char *command;		/* for the report */
	bool own_certificate;		/* made for this run */
	bool reported;			/* the last line has been printed */
};

/* ctx: the struct run. A line on standard error, unless --quiet. */
void run_say(void *ctx, const char *line);

/* ---- cmd_run_env.c ---- */

/* A database behind a Unix socket is stood in for by a socket, so that peer authentication still sees the user. */
bool run_stand_in(struct run *r, struct problem *p);
/* TLS towards the command where the user has no certificate for it. */
bool run_certificate(struct run *r, struct problem *p);
/* Where the capture listens, once it does. */
void run_endpoints(struct run *r);
/* The child's variables, password file and all, name the capture instead of its databases. */
bool run_point_child(struct run *r, struct problem *p);

/* ---- cmd_run_follow.c ---- */

/* Runs the command to its end. False: it could not be started or followed, which was said. */
bool run_child(struct run *r, char **argv);
/* What the child's last connections still had under way reaches us within a moment; daemons it left behind do not hold us up. */
void run_wind_up(struct run *r);

#endif
