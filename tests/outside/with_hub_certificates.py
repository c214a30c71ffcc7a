"""relais hub --client-certificates: logging in by a certificate, of openssl's, whoever signed it."""

import ssl

from stage import RELAIS, equal, holds, need, test
from with_a_hub import Bot, hub

PASSWORD = "correct horse battery"
FAST = ("--burst", 1000, "--messages-a-second", 0)


def certificate(stage, name):
    """A certificate and its key, which vouches for itself; and its fingerprint."""
    cert, key = stage.path(f"{name}.pem"), stage.path(f"{name}.key")
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-x509", "-days", "1"]
    stage.run(["openssl", "req", *kind, "-subj", f"/CN={name}", "-keyout", key, "-out", cert])
    told = stage.run(["openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256"]).decode()
    return (cert, key), told.strip().split("=")[1].replace(":", "").lower()


def context(stage, papers=None):
    found = ssl.create_default_context(cafile=stage.authority())
    if papers:
        found.load_cert_chain(*papers)
    return found


def asking(stage, *arguments, store=None):
    need("openssl")
    program = hub(stage, "tls://localhost:0", "--client-certificates", *arguments, store=store)
    return program


def shows(stage, program, papers=None):
    """A client that shows its papers."""
    return Bot(program.at, context(stage, papers))


@test
def who_shows_a_certificate_that_an_account_knows_is_let_in_without_a_password(stage):
    program = asking(stage)
    papers, fingerprint = certificate(stage, "laptop")
    ana = shows(stage, program, papers)
    equal(ana.done("HELLO")["auth"], ["password", "token", "external"])
    ana.refused("BAD_CREDENTIALS", "LOGIN", external=True)
    ana.done("REGISTER", user="ana", password=PASSWORD)
    ana.refused("BAD_FIELD", "CERT", name="")
    known = ana.done("CERT", name="my laptop")
    equal(known["certificate"], fingerprint)
    equal(ana.done("CERT", name="again"), known | {"re": ana.number})
    ana.done("CREATE", room="#lab")
    ana.close()
    back = shows(stage, program, papers)
    told = back.done("LOGIN", external=True, resume={"since": 0})
    equal((told["user"], told["session"], "token" in told), ("ana", known["session"], False))
    equal(back.event("create")["room"], "#lab")
    assert "cursor" in back.next(), "all that was missed"
    devices = {one["session"]: one["device"] for one in back.done("SESSIONS")["sessions"]}
    equal(devices[known["session"]], "my laptop")


@test
def a_certificate_is_of_use_until_it_is_revoked_also_on_a_connection_that_goes_on(stage):
    program = asking(stage)
    papers, _ = certificate(stage, "laptop")
    ana = shows(stage, program, papers)
    ana.done("REGISTER", user="ana", password=PASSWORD)
    session = ana.done("CERT", name="laptop")["session"]
    other = shows(stage, program, papers)
    other.done("LOGIN", external=True)
    ana.done("REVOKE", session=session)
    equal(other.event("bye")["code"], "SESSION_REVOKED")
    again = shows(stage, program, papers)
    again.refused("BAD_CREDENTIALS", "LOGIN", external=True)
    again.done("LOGIN", user="ana", password=PASSWORD)


@test
def nobody_has_anothers_certificate_and_nobody_without_one_is_told_of_it(stage):
    program = asking(stage)
    papers, _ = certificate(stage, "laptop")
    ana, bob = shows(stage, program, papers), shows(stage, program, papers)
    ana.done("REGISTER", user="ana", password=PASSWORD)
    ana.done("CERT", name="laptop")
    bob.done("REGISTER", user="bob", password=PASSWORD)
    bob.refused("FORBIDDEN", "CERT", name="mine now")
    bare = shows(stage, program)
    equal(bare.done("HELLO")["auth"], ["password", "token"])
    bare.refused("BAD_CREDENTIALS", "LOGIN", external=True)
    bare.done("LOGIN", user="ana", password=PASSWORD)
    bare.refused("FORBIDDEN", "CERT", name="which?")
    stranger, _ = certificate(stage, "stranger")
    eve = shows(stage, program, stranger)
    for _ in range(5):
        eve.refused("BAD_CREDENTIALS", "LOGIN", external=True)
    eve.refused("RATE_LIMITED", "LOGIN", external=True)


@test
def who_types_through_openssl_logs_in_by_a_certificate(stage):
    program = asking(stage)
    (cert, key), fingerprint = certificate(stage, "laptop")
    command = ["openssl", "s_client", "-quiet", "-connect", f"localhost:{program.at}", "-CAfile", stage.authority()]
    command += ["-verify_return_error", "-cert", cert, "-key", key]
    typed = f"/register ana {PASSWORD}\n/cert laptop\n/bye\n".encode()
    told = stage.run(command, input=typed).decode()
    holds(told, f"/cert logs in by {fingerprint}")
    told = stage.run(command, input=b"/cert\n/sessions\n/bye\n").decode()
    holds(told, "you are ana")
    holds(told, "laptop")


@test
def relais_chat_comes_in_by_its_certificate_and_back(stage):
    program = asking(stage, *FAST)
    (cert, key), _ = certificate(stage, "weather")
    ana = shows(stage, program, (cert, key))
    ana.done("REGISTER", user="ana", password=PASSWORD)
    ana.done("CREATE", room="#lab")
    chat = [RELAIS, "chat", f"tls://localhost:{program.at}", "--ca", stage.authority(), "--cert", cert, "--key", key, "--by-certificate"]
    ran = stage.finish([*chat, "--send", "lab", "rain"])
    equal(ran.returncode, 1)
    holds(ran.stderr.decode(), "no account knows the certificate")
    session = ana.done("CERT", name="weather")["session"]
    stage.run([*chat, "--send", "lab", "rain"])
    equal(ana.event("message")["body"], "rain")
    tail = stage.start([*chat, "--tail", "lab"], "tail")

    def is_heard(body):
        ana.done("MESSAGE", room="#lab", body=body)
        return body in tail.said()

    tail.await_that("what is said", lambda: is_heard("before"))
    program.stop()
    again = hub(stage, f"tls://localhost:{program.at}", "--client-certificates", *FAST, store=program.store)
    ana = shows(stage, again, (cert, key))
    ana.done("LOGIN", external=True)
    tail.await_that("what is said behind a restart", lambda: is_heard("behind a restart"))
    ana.done("REVOKE", session=session)
    equal(tail.end(), 1)


@test
def a_certificate_outlives_a_restart_and_nobody_is_asked_for_one_unless_it_is_said(stage):
    program = asking(stage)
    papers, _ = certificate(stage, "laptop")
    ana = shows(stage, program, papers)
    ana.done("REGISTER", user="ana", password=PASSWORD)
    ana.done("CERT", name="laptop")
    program.stop()
    program = asking(stage, store=program.store)
    equal(shows(stage, program, papers).done("LOGIN", external=True)["user"], "ana")
    program.stop()
    program = hub(stage, "tls://localhost:0", store=program.store)
    quiet = shows(stage, program, papers)
    equal(quiet.done("HELLO")["auth"], ["password", "token"])
    quiet.refused("BAD_CREDENTIALS", "LOGIN", external=True)
    program.stop()
    _, err = refused(stage, "tcp://127.0.0.1:0", "--client-certificates")
    holds(err, "tls://")


def refused(stage, *words):
    ran = stage.finish([RELAIS, "hub", *words])
    equal(ran.returncode, 2)
    return ran.stdout.decode(), ran.stderr.decode()
