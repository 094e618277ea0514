/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_proxy: rowcall proxy: listen, forward, inspect until told to end, then report.
 * Signals go through libevent on the main thread; the capture's own threads never see them. */
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "cmd.h"
#include "outputs.h"
#include "reload.h"

enum { LOOK_MS = 20 };

struct proxy {
	const struct config *cfg;	/* as it started: listeners and threads */
	const struct settings *settings;
	struct reloaded *now;		/* what a reload brought; NULL before the first */
	struct log *log;
	struct capture *capture;
	struct event_base *base;
	struct event *look;		/* while draining: is it done? */
	uint64_t looks_left;
	bool draining;
};

static void
on_end(evutil_socket_t signal_number, short what, void *arg)
{
	static const struct timeval often = { 0, LOOK_MS * 1000 };
	struct proxy *p = arg;

	(void)what;
	if (p->draining) {
		log_info(p->log, 0, "%s again: ending at once", strsignal((int)signal_number));
		event_base_loopbreak(p->base);
		return;
	}
	p->draining = true;
	log_info(p->log, 0, "%s: no new sessions; waiting for statements and transactions under way (again: end at once)",
	    strsignal((int)signal_number));
	capture_drain(p->capture);
	p->looks_left = p->cfg->drain_timeout / (LOOK_MS * 1000000u);
	event_add(p->look, &often);
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct proxy *p = arg;

	(void)fd;
	(void)what;
	if (capture_drained(p->capture)) {
		event_base_loopbreak(p->base);
	} else if (p->looks_left-- == 0) {
		log_warn(p->log, 0, "%llu sessions were still busy after the drain timeout and are ended",
		    (unsigned long long)capture_counters(p->capture).open);
		event_base_loopbreak(p->base);
	}
}

static void
say_counters(struct proxy *p)
{
	struct counters c = capture_counters(p->capture);

	log_info(p->log, 0, "%llu sessions, %.1f MB to servers, %.1f MB to clients; the statement cache knew %.1f%% of the texts, %llu were evicted",
	    (unsigned long long)c.accepted, (double)c.bytes_to_server / 1e6, (double)c.bytes_to_client / 1e6, counters_hit_rate(&c),
	    (unsigned long long)c.cache.evictions);
}

static void
reload(struct proxy *p)
{
	struct problem why = { "" };
	struct reloaded *next = reload_read("proxy", p->settings, &why);
	char changed[400];

	if (!next) {
		log_error(p->log, 0, "the configuration in use stays: %s", why.text);
		return;
	}
	collector_reconfigure(capture_collector(p->capture), &next->cfg.rules, &next->cfg.gate, next->cfg.rtt);
	if (reload_left(p->settings, &next->settings, changed, sizeof changed))
		log_warn(p->log, 0, "changed, but only a restart takes it in: %s", changed);
	reload_free(p->now);
	p->now = next;
	log_info(p->log, 0, "the configuration was read anew: budgets, allowed findings, baseline, rules and reports; all else needs a restart");
}

static void
on_hup(evutil_socket_t signal_number, short what, void *arg)
{
	struct proxy *p = arg;
	char err[400];

	(void)signal_number;
	(void)what;
	reload(p);
	if (capture_reload_tls(p->capture, err, sizeof err))
		log_info(p->log, 0, "certificates were read anew, for sessions from now on");
	else
		log_error(p->log, 0, "the certificates in use stay: %s", err);
}

static bool
wait_for_the_end(struct proxy *p)
{
	struct event *term, *interrupt, *hup;
	bool ok;

	p->base = event_base_new();
	if (!p->base)
		return false;
	term = evsignal_new(p->base, SIGTERM, on_end, p);
	interrupt = evsignal_new(p->base, SIGINT, on_end, p);
	hup = evsignal_new(p->base, SIGHUP, on_hup, p);
	p->look = event_new(p->base, -1, EV_PERSIST, on_look, p);
	ok = term && interrupt && hup && p->look && event_add(term, NULL) == 0 && event_add(interrupt, NULL) == 0 && event_add(hup, NULL) == 0;
	if (ok)
		event_base_dispatch(p->base);
	event_free(term);
	event_free(interrupt);
	event_free(hup);
	event_free(p->look);
	event_base_free(p->base);
	return ok;
}

static void
say_listeners(const struct proxy *p)
{
	for (uint32_t i = 0; i < p->cfg->nlistens; i++) {
		const struct listen_config *l = &p->cfg->listens[i];
		const char *host = capture_host(p->capture, i);

		if (l->is_unix)
			log_info(p->log, 0, "listening on %s for %s at %s", host, engine_name(l->upstream.engine), l->upstream.display);
		else
			log_info(p->log, 0, strchr(host, ':') ? "listening on [%s]:%u for %s at %s" : "listening on %s:%u for %s at %s", host,
			    capture_port(p->capture, i), engine_name(l->upstream.engine), l->upstream.display);
		if (l->upstream.engine == ENGINE_MYSQL && l->setup.server_tls != WIRE_TLS_MIRROR && l->setup.server_tls != WIRE_TLS_DISABLE &&
		    !l->setup.server_is_unix)
			log_warn(p->log, 0, "%s: TLS on one leg only: caching_sha2_password fails when the server's cache is cold; use server_tls: mirror",
			    l->name);
	}
	if (capture_admin_port(p->capture))
		log_info(p->log, 0, strchr(p->cfg->admin_address, ':') ? "marks, health, snapshots and counters at http://[%s]:%u" : "marks, health, snapshots and counters at http://%s:%u",
		    p->cfg->admin_address, capture_admin_port(p->capture));
}

static int
serve(struct proxy *p)
{
	struct rlimit before;
	const struct config *cfg;
	struct snapshot *snap;
	char err[400];
	int status;

	capture_raise_files(&before);
	p->capture = capture_start(p->cfg, p->log, "", false, err, sizeof err);
	if (!p->capture) {
		log_error(p->log, 0, "%s", err);
		return STATUS_UNUSABLE;
	}
	say_listeners(p);
	if (!wait_for_the_end(p))
		log_error(p->log, 0, "the event loop could not be started");
	capture_stop(p->capture);
	say_counters(p);
	snap = capture_snapshot(p->capture);
	cfg = p->now ? &p->now->cfg : p->cfg;
	/* A daemon nobody gave a gate to ends well after a drain, whatever came by. */
	status = snap->gated ? outputs_status(cfg, snap) : STATUS_OK;
	if (!outputs_reports(cfg, snap, STDOUT_FILENO))
		status = STATUS_UNUSABLE;
	if (!capture_finish_recording(p->capture, snap, err, sizeof err))
		log_error(p->log, 0, "%s", err);
	outputs_verdict(snap);
	snapshot_free(snap);
	capture_free(p->capture);
	reload_free(p->now);
	return status;
}

static int
proxy(const struct settings *s, struct arena *a, int argc, char **argv)
{
	struct problem why = { "" };
	struct config cfg;
	struct proxy p = { .cfg = &cfg, .settings = s };
	int status;

	if (argc > 0) {
		problem(&why, "unexpected argument %s", argv[0]);
		return cmd_wrong("proxy", &why);
	}
	if (!config_build_to_judge(s, a, NULL, 0, &cfg, &why))
		return cmd_wrong("proxy", &why);
	if (cfg.nlistens > 0) {
		p.log = log_new(STDERR_FILENO, cfg.log_level, cfg.log_json);
		status = serve(&p);
		log_free(p.log);
	} else {
		problem(&why, "nothing to listen on: give --listen 127.0.0.1:5433 --upstream postgresql://HOST:5432, or listen: in rowcall.yaml");
		status = cmd_wrong("proxy", &why);
	}
	config_clear(&cfg);
	return status;
}

int
cmd_proxy(int argc, char **argv)
{
	return cmd_with_settings("proxy", argc, argv, proxy);
}
