"""Certificates of strangers, made by openssl."""

from stage import need


def papers(stage, name="localhost"):
    """A key, and a certificate that it signed itself."""
    need("openssl")
    key, cert = stage.path("key.pem"), stage.path("cert.pem")
    stage.run([
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", f"/CN={name}",
        "-addext", f"subjectAltName=DNS:{name}", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", cert,
    ])  # fmt: skip
    print_ = stage.run(["openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256"])
    return key, cert, print_.decode().strip().partition("=")[2]
