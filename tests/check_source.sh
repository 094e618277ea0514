#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# check_source.sh TREE: rules of the house that a compiler does not check. Prints each breach as file:line; fails when there is one.
#   - every .c and .h opens with the SPDX line and then a comment that says what the file does
#   - includes follow the arrows proxy -> reports -> fingerprint, proxy -> wire -> base, and within reports: judge knows requests, not the
#     other way round; libevent and libcurl only in reports/serve
#   - functions that cannot know a length are banned
set -u
cd "${1:-.}" || exit 2
bad=0
breach() { echo "$1"; bad=1; }

while IFS= read -r f; do
  head -1 "$f" | grep -q '^/\* SPDX-License-Identifier: Apache-2.0 \*/$' || breach "$f:1: the SPDX line is missing"
  sed -n 2p "$f" | grep -q '^/\*' || breach "$f:2: a comment must say what the file does and what it never does"
done < <(find fingerprint proxy reports tests -name '*.[ch]' -not -path '*/node_modules/*')

# arrow FILES FORBIDDEN-INCLUDES
arrow() { while IFS= read -r hit; do [ -z "$hit" ] || breach "$hit: this layer may not include that"; done < <(grep -rnE "^#include [<\"]($2)" $1 --include='*.[ch]'); }
arrow fingerprint 'proxy/|reports/|event2/|sys/socket|openssl/|libpq'
arrow proxy/wire 'proxy/core|proxy/config|reports/|event2/|sys/socket|time\.h|openssl/|fingerprint/(sql|shapes|identity|lex)'
arrow reports 'proxy/|sys/socket|openssl/|libpq|mysql'
arrow reports/requests 'reports/(judge|store|write|compare|fix|serve)/'
arrow reports/lineage 'reports/(judge|store|write|compare|fix|serve)/'
arrow reports/judge 'reports/(store|write|compare|fix|serve)/'
while IFS= read -r hit; do breach "$hit: only reports/serve may use libevent or libcurl"; done < \
  <(grep -rnE '^#include <(event2|curl)/' reports --include='*.[ch]' | grep -v '^reports/serve/')

while IFS= read -r hit; do breach "$hit: banned, it cannot know a length"; done < \
  <(grep -rnE '(^|[^_[:alnum:]])(strcpy|strcat|sprintf|vsprintf|atoi|atol|strtok|gets)[[:space:]]*\(' fingerprint proxy reports --include='*.[ch]')
exit $bad
