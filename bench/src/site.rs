//! What every server serves: the same files, under the same certificate.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::words;

/// One of the files served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// 1 KiB
    Small,
    /// 100 KiB
    Medium,
    /// 10 MiB
    Large,
}

impl Served {
    pub(crate) const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    /// The last part of its path and of its URL.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Small => "1k.bin",
            Self::Medium => "100k.bin",
            Self::Large => "10m.bin",
        }
    }

    pub(crate) fn len(self) -> usize {
        match self {
            Self::Small => 1024,
            Self::Medium => 100 * 1024,
            Self::Large => 10 * 1024 * 1024,
        }
    }
}

/// Which URLs a load asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urls {
    /// One.
    Same,
    /// [`URLS`] of [`words::urls`], one after the other: no server does well by remembering the
    /// last.
    Varied,
}

impl Urls {
    /// The name of the script for wrk.
    pub(crate) fn script(self) -> &'static str {
        match self {
            Self::Same => "done.lua",
            Self::Varied => "varied.lua",
        }
    }
}

/// A temporary folder with the files, a certificate and what load generators need. Removed on drop.
#[derive(Debug)]
pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    /// Writes it all.
    pub(crate) fn prepare() -> Result<Self> {
        let site = Self::files_only()?;
        let urls = site.path("urls.txt");
        let read = READ_URLS.replace("URLS", urls.to_str().context("a path in UTF-8")?);
        fs::write(&urls, words::urls(URLS))?;
        fs::write(site.wrk_script(Urls::Same), WRK_SCRIPT)?;
        fs::write(site.wrk_script(Urls::Varied), read + WRK_SCRIPT)?;
        fs::write(site.rules(), words::rules(RULES))?;
        fs::write(site.openssl_conf(), OPENSSL_CONF)?;
        certify(&site.cert(), &site.key())?;
        Ok(site)
    }

    /// Writes what is served alone.
    pub(crate) fn files_only() -> Result<Self> {
        let site = Self { folder: tempfile::Builder::new().prefix("relais-bench-").tempdir()? };
        fs::create_dir(site.root())?;
        for served in Served::ALL {
            fs::write(site.root().join(served.name()), noise(served.len()))?;
        }
        Ok(site)
    }

    /// The folder to serve.
    pub(crate) fn root(&self) -> PathBuf {
        self.path("files")
    }

    pub(crate) fn cert(&self) -> PathBuf {
        self.path("cert.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.path("key.pem")
    }

    /// Makes wrk print exact numbers where it rounds, and ask for what is wanted.
    pub(crate) fn wrk_script(&self, urls: Urls) -> PathBuf {
        self.path(urls.script())
    }

    /// The block list.
    pub(crate) fn rules(&self) -> PathBuf {
        self.path("rules.txt")
    }

    /// The log to be searched, while there is one.
    pub(crate) fn log(&self) -> PathBuf {
        self.path("searched.jsonl")
    }

    /// Pins what wrk and h2load negotiate, whatever a server prefers.
    pub(crate) fn openssl_conf(&self) -> PathBuf {
        self.path("openssl.cnf")
    }

    /// A path in the folder, outside of what is served.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The exact bytes that a server has to send.
    pub(crate) fn bytes(&self, served: Served) -> Result<Vec<u8>> {
        Ok(fs::read(self.root().join(served.name()))?)
    }
}

/// Bytes that no one can compress, the same in every run (xorshift64, seed fixed).
fn noise(len: usize) -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

fn certify(cert: &Path, key: &Path) -> Result<()> {
    let output = Command::new("openssl")
        .args(CERTIFY)
        .arg("-out")
        .arg(cert)
        .arg("-keyout")
        .arg(key)
        .output()
        .context("starting openssl")?;
    if !output.status.success() {
        bail!("making a certificate: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// How the certificate is made: ECDSA on P-256, signed by itself.
pub(crate) const CERTIFY: [&str; 13] = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "30",
    "-subj",
    "/CN=localhost",
    "-addext",
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
];

/// wrk's times are in microseconds.
const WRK_SCRIPT: &str = r#"
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("exact %d %d %d %d %d\n", summary.requests, summary.bytes,
    summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(99)))
end
"#;

const READ_URLS: &str = r#"
local requests, count, at = {}, 0, 0
init = function()
  for line in io.lines("URLS") do
    local host, path = line:match("(%S+) (%S+)")
    count = count + 1
    requests[count] = wrk.format("GET", path, { Host = host })
  end
end
request = function()
  at = at % count + 1
  return requests[at]
end
"#;

/// How many URLs there are to vary.
pub(crate) const URLS: usize = 10_000;
/// How many rules the block list has.
const RULES: usize = 100_000;

/// What TLS clients offer, one of each, so that both sides of a ratio do the same arithmetic.
pub(crate) const OPENSSL_CONF: &str = "\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = tls
[tls]
MinProtocol = TLSv1.3
Ciphersuites = TLS_AES_128_GCM_SHA256
Groups = X25519
";
