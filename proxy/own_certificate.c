/* SPDX-License-Identifier: Apache-2.0 */
/* own_certificate: see own_certificate.h. */
#include "own_certificate.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

enum { EARLIER_S = 3600, DAYS = 30 };	/* for clocks that differ a little, and runs that take long */

static bool
add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = e && X509_add_ext(x, e, -1) == 1;

	X509_EXTENSION_free(e);
	return ok;
}

static bool
fill(X509 *x, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(x);
	uint64_t serial = 0;

	if (RAND_bytes((unsigned char *)&serial, sizeof serial) != 1 || ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1) != 1)
		return false;
	return X509_set_version(x, X509_VERSION_3) == 1 && X509_gmtime_adj(X509_getm_notBefore(x), -EARLIER_S) &&
	       X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL) && X509_set_pubkey(x, key) == 1 &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"rowcall run", -1, -1, 0) == 1 &&
	       X509_set_issuer_name(x, name) == 1 && add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(x, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") && X509_sign(x, key, EVP_sha256()) > 0;
}

/* Both as PEM, the key first. */
static bool
write_pem(BIO *out, X509 *x, EVP_PKEY *key)
{
	return PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1 && PEM_write_bio_X509(out, x) == 1;
}

const char *
own_certificate(struct private_dir *d, struct arena *a, struct problem *p)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *pem = BIO_new(BIO_s_mem());
	const char *path = NULL;
	char *bytes;

	if (key && x && pem && fill(x, key) && write_pem(pem, x, key)) {
		long n = BIO_get_mem_data(pem, &bytes);

		path = private_dir_file(d, a, "certificate.pem", span_of(bytes, (size_t)n), p);
	} else {
		problem(p, "a certificate for this run could not be made");
	}
	BIO_free(pem);
	X509_free(x);
	EVP_PKEY_free(key);
	return path;
}
