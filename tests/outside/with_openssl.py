"""openssl s_client: the handshake as another implementation sees it."""

import re
import socket
import ssl

from stage import RELAIS, equal, holds, need, test


def served(stage):
    need("openssl")
    stage.write("site/index.html", "hello")
    return stage.relais("serve", "site", "-l", "https://127.0.0.1:0", urls=1)


def client(stage, relais, *words, status=0, **options):
    words = ["-connect", f"127.0.0.1:{relais.tls_port}", "-CAfile", stage.authority(), *words]
    done = stage.finish(["openssl", "s_client", *words], **options)
    text = (done.stdout + done.stderr).decode(errors="replace")
    if status is not None:
        equal(done.returncode, status, f"openssl said {text[-1500:]}")
    return text


@test
def tls_1_2_and_1_3_are_spoken_and_verified(stage):
    relais = served(stage)
    for flag, version in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")]:
        told = client(stage, relais, flag, "-verify_return_error", "-servername", "localhost")
        holds(told, f"New, {version}, Cipher is ")
        holds(told, "Verify return code: 0 (ok)")
        told = client(stage, relais, flag, "-verify_return_error", "-verify_ip", "127.0.0.1")
        holds(told, "Verify return code: 0 (ok)")


@test
def older_versions_and_weak_ciphers_are_refused(stage):
    relais = served(stage)
    weak = ["-cipher", "ALL:@SECLEVEL=0"]
    for flag in ["-tls1", "-tls1_1"]:
        told = client(stage, relais, flag, *weak, status=1)
        holds(told, "alert")
    for cipher in ["AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256"]:
        told = client(stage, relais, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0", status=1)
        holds(told, "alert", cipher)


@test
def the_protocol_is_agreed_on(stage):
    relais = served(stage)
    for offered, chosen in [("h2,http/1.1", "h2"), ("http/1.1,h2", "h2"), ("http/1.1", "http/1.1")]:
        holds(client(stage, relais, "-alpn", offered), f"ALPN protocol: {chosen}\n", offered)
    holds(client(stage, relais), "No ALPN negotiated")
    # RFC 7301, 3.2: who offers nothing that is spoken is told.
    holds(client(stage, relais, "-alpn", "gopher", status=1), "no application protocol")


@test
def a_session_is_taken_up_again(stage):
    relais = served(stage)
    told = client(stage, relais, "-tls1_2", "-reconnect")
    equal(len(re.findall("^Reused, TLSv1.2", told, re.M)), 5, "sessions taken up")
    ask = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    # The tickets of TLS 1.3 come after the handshake: something has to be read to have them.
    client(stage, relais, "-tls1_3", "-ign_eof", "-sess_out", "session.pem", input=ask)
    told = client(stage, relais, "-tls1_3", "-ign_eof", "-sess_in", "session.pem", input=ask)
    holds(told, "Reused, TLSv1.3")
    holds(told, "hello")


@test
def http_is_spoken_through_openssl(stage):
    relais = served(stage)
    ask = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    told = client(stage, relais, "-quiet", "-verify_quiet", input=ask)
    holds(told, "HTTP/1.1 200 OK")
    holds(told, "\r\n\r\nhello")


@test
def who_has_no_certificate_is_not_let_in(stage):
    need("openssl", "curl")
    stage.write("site/index.html", "for members")
    openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    for name in ["members", "strangers"]:
        stage.run([*openssl, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}"])
        stage.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                   "-keyout", f"{name}-one.key", "-out", f"{name}-one.csr", "-subj", "/CN=one"])
        stage.write("ext", "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n")
        stage.run(["openssl", "x509", "-req", "-in", f"{name}-one.csr", "-CA", f"{name}.pem", "-CAkey", f"{name}.key",
                   "-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", f"{name}-one.pem"])
    relais = stage.relais("serve", "site", "-l", "https://127.0.0.1:0", "--client-ca", "members.pem")
    words = ["--cacert", stage.authority(), f"{relais.https}/"]
    equal(stage.curl("--cert", "members-one.pem", "--key", "members-one.key", *words).decode(), "for members")
    # 56 or 35 or 16 or 55: refused within or right after the handshake, as the version has it.
    for refused in [[], ["--cert", "strangers-one.pem", "--key", "strangers-one.key"]]:
        done = stage.finish(["curl", "-s", *refused, *words])
        assert done.returncode in (16, 35, 55, 56, 92), done
        equal(done.stdout, b"")


@test
def certificates_of_the_authority_verify_and_say_their_names(stage):
    need("openssl")
    stage.run([RELAIS, "cert", "issue", "example.test", "127.0.0.1"])
    (cert,) = [path for path in stage.folder.rglob("*example.test*") if path.suffix == ".pem" and "key" not in path.name]
    told = stage.run(["openssl", "verify", "-CAfile", stage.authority(), cert]).decode()
    holds(told, ": OK")
    told = stage.run(["openssl", "x509", "-in", cert, "-noout", "-text"]).decode()
    holds(told, "DNS:example.test")
    holds(told, "IP Address:127.0.0.1")
    private = [path for path in stage.path("data").rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert private, "no key found"
    for path in private:
        equal(path.stat().st_mode & 0o077, 0, f"others' rights to {path.name}")


@test
def an_idle_connection_is_closed_and_not_cut(stage):
    stage.write("site/index.html", "hello")
    config = '[serve.site]\nlisten = "https://127.0.0.1:0"\nroot = "site"\n[limits]\nidle_max = "1s"\n'
    relais = stage.up(config)
    http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
    for protocol, first in [("http/1.1", b""), ("http/1.1", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), ("h2", http2)]:
        context = ssl.create_default_context(cafile=stage.authority())
        context.set_alpn_protocols([protocol])
        plain = socket.create_connection(("127.0.0.1", relais.tls_port), 15)
        # An end without close_notify, or a reset, is an error.
        with context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as client:
            client.sendall(first)
            while client.recv(1 << 16):
                pass
    equal(relais.stop(), 0, "exit code")
