/* SPDX-License-Identifier: Apache-2.0 */
/* capture: the running machinery: acceptor, workers, resolver, analyzer, collector, admin port, each on threads of their own.
 * Does: start, say where it listens, drain, finish, hand out snapshots. Never: installs signal handlers, prints a report, decides a status. */
#ifndef ROWCALL_CAPTURE_H
#define ROWCALL_CAPTURE_H

#include <sys/resource.h>

#include "config.h"
#include "log.h"
#include "reports/serve/counters.h"

struct capture;

/* Each session needs two descriptors: raises the soft limit of open files to the hard one. *before: as it was, for a child to have back. */
void capture_raise_files(struct rlimit *before);

/* Binds every listener (all or nothing) and starts the threads; blocks SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2, SIGWINCH, SIGQUIT in them.
 * cfg, log and command (what runs, for the report; "" for proxy) must outlive the capture. grow_rings: `run` (grow) or `proxy` (drop). NULL: a sentence in err ("127.0.0.1:5433: address
 * already in use; choose another with --listen"). */
struct capture *capture_start(const struct config *cfg, struct log *log, const char *command, bool grow_rings, char *err, size_t err_n)
    __attribute__((warn_unused_result));

/* Where listener i really listens: host (no brackets) or socket path, and port. Borrowed. */
const char *capture_host(const struct capture *c, uint32_t i);
uint16_t capture_port(const struct capture *c, uint32_t i);
/* Port of the admin server; 0 = none. */
uint16_t capture_admin_port(const struct capture *c);

/* What it has done so far. Any thread. */
struct counters capture_counters(struct capture *c);

/* Reads the certificates, keys and authorities of all listeners anew, for sessions from now on. False: one could not be read, the old ones
 * stay in force everywhere; a sentence in err. */
bool capture_reload_tls(struct capture *c, char *err, size_t err_n) __attribute__((warn_unused_result));

/* Stop accepting and end sessions as they have no statement and no transaction under way. Returns at once. */
void capture_drain(struct capture *c);
/* True when no session is open. */
bool capture_drained(struct capture *c);
/* Ends all sessions and workers, closes all requests. After this only capture_snapshot, capture_counters and capture_free. */
void capture_stop(struct capture *c);

/* Everything so far. The caller frees it with snapshot_free. */
struct snapshot *capture_snapshot(struct capture *c) __attribute__((warn_unused_result));
/* Where its requests are judged; borrowed. After capture_stop. */
struct collector *capture_collector(struct capture *c);
/* Completes the recording cfg->record asks for with this snapshot, after capture_stop; true when none was asked for. False: a sentence in err. */
bool capture_finish_recording(struct capture *c, const struct snapshot *snap, char *err, size_t err_n) __attribute__((warn_unused_result));
void capture_free(struct capture *c);

#endif
