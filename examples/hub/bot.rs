//! Answers whoever names it, in lines as a person types them, with the standard library alone.
//! `rustc --edition 2024 bot.rs && ./bot [PORT]`

use std::{env, io, io::BufRead as _, io::Write as _, net::TcpStream};

fn main() -> io::Result<()> {
    let port = env::args().nth(1).unwrap_or("6680".to_owned());
    let mut hub = TcpStream::connect(format!("127.0.0.1:{port}"))?;
    // The first is refused, if it was there before; the second, if it is logged in by now.
    hub.write_all(b"/register crab a robot of mine\n/login crab a robot of mine\n/join lab\n")?;
    for line in io::BufReader::new(hub.try_clone()?).lines() {
        let line = line?;
        // 14:31 <ana> hello @crab
        let said = line.split_once('<').and_then(|(_, rest)| rest.split_once("> "));
        if let Some((from, text)) = said.filter(|(_, text)| text.contains("@crab")) {
            // It names nobody itself: two bots would go on for ever.
            writeln!(hub, "{from} said: {}", text.replace('@', ""))?;
        }
    }
    Ok(())
}
