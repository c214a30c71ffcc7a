//! A calculator: one expression in, one value or error out.
//!
//! What evaluates (fend) may overflow its stack or forget to ask whether it should stop, so it runs
//! in child processes that have next to nothing, and are killed when they take too long. Nothing that
//! a peer sends is ever executed; a child opens no file and no socket.

mod child;
mod evaluate;
mod place;
mod process;
mod queue;

use std::{
    collections::HashSet,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use relais_net::{Client, ToldRarely, Worked};
use tokio::{sync::oneshot, time::Instant};

pub use child::child;
pub use queue::Asker;

use process::Process;
use queue::{Places, Queue};

/// The longest expression.
const EXPRESSION_BYTES_MAX: usize = 256;

/// How many expressions may wait for a child, and how many of one address: of these each may take 200 ms,
/// and who calls from there, too, is to wait for seconds at most. Senders of datagrams have half of them,
/// which is as many as a socket has under way: those that are made up take no places of who calls.
const WAITING_MAX: Places = Places { all: 512, unproven: 256, of_one: 32 };

/// For how much work it counts to be turned away. Who asks on and on comes behind who asks once.
const TURNED_AWAY: Duration = Duration::from_millis(10);

/// How long one may wait for its value, all in all: past that the calculator is too busy.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// How to run a child: this program, so that it calls [`child`].
#[derive(Clone, Debug)]
pub struct Program {
    /// The file to execute.
    pub path: PathBuf,
    /// What it is told.
    pub arguments: Vec<String>,
}

/// Evaluates expressions in child processes, each for itself: nothing is remembered between them.
#[derive(Debug)]
pub struct Calculator {
    program: Program,
    jobs: Arc<Queue<Job>>,
    /// How many threads, each of which has a child, are still to be started: none is before the first
    /// expression comes, and one that the system refused is with the next.
    missing: AtomicUsize,
    refused: ToldRarely,
    strangers: Strangers,
}

/// From which addresses strangers have an expression waiting, or being worked out: one from each.
type Strangers = Arc<Mutex<HashSet<Client>>>;

/// That a stranger has one, until this is dropped.
#[derive(Debug)]
struct Turn {
    client: Client,
    strangers: Strangers,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoValue {
    /// It takes too long.
    Late,
    /// Too many others wait, or one of the same address does whom nobody knows either.
    Busy,
    /// For this reason, in a line.
    Wrong(String),
}

#[derive(Debug)]
struct Job {
    expression: String,
    /// Where its value goes, and how long that took.
    value: oneshot::Sender<(String, Duration)>,
    /// A stranger's, as long as it takes, whoever still waits for it.
    turn: Option<Turn>,
}

impl Turn {
    /// For a stranger from there, if no other from there has it.
    fn take(strangers: &Strangers, client: Client) -> Option<Self> {
        let mut taken = strangers.lock().unwrap_or_else(PoisonError::into_inner);
        let strangers = Arc::clone(strangers);
        taken.insert(client).then(|| Self { client, strangers })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.client);
    }
}

impl Calculator {
    /// A calculator with at most `children_max` children.
    pub fn new(program: Program, children_max: usize) -> Self {
        Self {
            program,
            jobs: Arc::new(Queue::new(WAITING_MAX)),
            missing: AtomicUsize::new(children_max.max(1)),
            refused: ToldRarely::default(),
            strangers: Strangers::default(),
        }
    }

    /// The value of an `expression` of a caller of `client` who asked nothing before, or `error: …`, in
    /// one line.
    ///
    /// Cancel safe: an expression whose value nobody waits for is not evaluated, unless it is
    /// already.
    pub async fn value(&self, client: Client, expression: &str) -> String {
        self.value_after(&Worked::default(), client, expression).await
    }

    /// The same, for a caller for whom it `worked` before. Adds what this takes.
    pub async fn value_after(&self, worked: &Worked, client: Client, expression: &str) -> String {
        self.value_for(Asker::Known(client), worked, expression).await
    }

    /// The same, for whoever that is.
    pub(crate) async fn value_for(
        &self,
        asker: Asker,
        worked: &Worked,
        expression: &str,
    ) -> String {
        if let Err(refusal) = judge(expression) {
            return format!("error: {refusal}");
        }
        let turn = match asker {
            Asker::Known(_) | Asker::Unproven(_) => None,
            Asker::Stranger(client) => match Turn::take(&self.strangers, client) {
                Some(turn) => Some(turn),
                None => return BUSY.to_owned(),
            },
        };
        let (sender, value) = oneshot::channel();
        let job = Job { expression: expression.to_owned(), value: sender, turn };
        // Whose job has no place any more is told by the end of the channel to it.
        drop(self.jobs.add(asker, worked.so_far(), job));
        self.start_missing(start);
        let (value, took) = match tokio::time::timeout(WAIT_MAX, value).await {
            Ok(Ok(value)) => value,
            Ok(Err(_)) | Err(_) => (BUSY.to_owned(), TURNED_AWAY),
        };
        worked.add(took);
        value
    }

    /// The same, for who tells values from what is none, and us from strangers.
    ///
    /// # Errors
    ///
    /// [`NoValue`]
    pub async fn work_out(
        &self,
        asker: Asker,
        worked: &Worked,
        expression: &str,
    ) -> Result<String, NoValue> {
        let answer = self.value_for(asker, worked, expression).await;
        match answer.strip_prefix("error: ") {
            _ if answer == evaluate::LATE => Err(NoValue::Late),
            _ if answer == BUSY => Err(NoValue::Busy),
            Some(why) => Err(NoValue::Wrong(why.to_owned())),
            None => Ok(answer),
        }
    }

    /// Starts the threads that are missing, one for each child. They end when the calculator is dropped.
    fn start_missing(&self, start: impl Fn(&Arc<Queue<Job>>, Process) -> io::Result<()>) {
        let one_less = |missing: usize| missing.checked_sub(1);
        while self.missing.fetch_update(Relaxed, Relaxed, one_less).is_ok() {
            let Err(error) = start(&self.jobs, Process::new(self.program.clone())) else {
                continue;
            };
            self.missing.fetch_add(1, Relaxed);
            if let Some(times) = self.refused.add(1) {
                tracing::warn!(%error, times, "cannot start a thread for the calculator");
            }
            return;
        }
    }
}

/// Starts a thread that takes jobs for a child.
fn start(jobs: &Arc<Queue<Job>>, process: Process) -> io::Result<()> {
    let jobs = Arc::clone(jobs);
    let thread = thread::Builder::new().name("calc".to_owned()).stack_size(128 << 10);
    thread.spawn(move || work(&jobs, process)).map(|_| ())
}

/// What a child says first.
pub(crate) const READY: &str = "ready";

const BUSY: &str = "error: too many expressions are waiting; try again";
const NO_CHILD: &str = "error: the calculator does not run";

impl Drop for Calculator {
    fn drop(&mut self) {
        self.jobs.close();
    }
}

fn work(jobs: &Queue<Job>, mut process: Process) {
    while let Some(Job { expression, value, turn }) = jobs.next() {
        if !value.is_closed() {
            let begin = Instant::now();
            let answer = process.value(&expression);
            // Who is told may ask again at once.
            drop(turn);
            // Who asked may have gone meanwhile.
            _ = value.send((answer, begin.elapsed()));
        }
    }
}

/// What can be said of an expression without evaluating it.
fn judge(expression: &str) -> Result<(), String> {
    let length = expression.len();
    if length > EXPRESSION_BYTES_MAX {
        return Err(format!("{length} bytes: expected at most {EXPRESSION_BYTES_MAX}"));
    }
    if expression.trim().is_empty() {
        return Err("nothing to evaluate: expected an expression, e.g. `3 km in miles`".to_owned());
    }
    if let Some(at) = expression.chars().position(char::is_control) {
        return Err(format!("a control character at character {}", at + 1));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

    use super::*;

    /// A shell that stands in for the child: it hangs, dies, and says what it was asked.
    fn calculator() -> Calculator {
        calculator_that_notes(Path::new("/dev/null"))
    }

    /// The same, which adds a line to that file whenever it hangs.
    fn calculator_that_notes(hangs: &Path) -> Calculator {
        let script = "echo ready; while read -r line; do case $line in
            hang) echo >>\"$0\"; sleep 60;; die) exit 3;; long) head -c 100000 /dev/zero;; pid) echo $$;;
            *) echo \"= $line\";; esac; done";
        let arguments = ["-c", script, hangs.to_str().unwrap()].map(str::to_owned).to_vec();
        Calculator::new(Program { path: "/bin/sh".into(), arguments }, 1)
    }

    #[tokio::test]
    async fn each_expression_has_its_value_whatever_came_before() {
        let calculator = calculator();
        assert_eq!(calculator.value(Client::Local, "1 + 2").await, "= 1 + 2");
        let late = "error: it takes longer than 200 ms";
        assert_eq!(calculator.value(Client::Local, "hang").await, late);
        assert_eq!(calculator.value(Client::Local, "3").await, "= 3");
        assert_eq!(
            calculator.value(Client::Local, "die").await,
            "error: it takes more memory than there is for it"
        );
        assert_eq!(calculator.value(Client::Local, "4").await, "= 4");
        assert!(calculator.value(Client::Local, "long").await.starts_with("error: "));
        assert_eq!(calculator.value(Client::Local, "5").await, "= 5");
    }

    #[tokio::test]
    async fn what_takes_too_long_is_told_from_what_is_wrong() {
        let calculator = calculator();
        let known = Asker::Known(Client::Local);
        let nothing = Worked::default();
        let work_out = async |expression| calculator.work_out(known, &nothing, expression).await;
        assert_eq!(work_out("1").await, Ok("= 1".to_owned()));
        assert_eq!(work_out("hang").await, Err(NoValue::Late));
        let why = "it takes more memory than there is for it".to_owned();
        assert_eq!(work_out("die").await, Err(NoValue::Wrong(why)));
    }

    #[tokio::test]
    async fn strangers_of_an_address_have_one_place_and_whom_we_know_goes_before_them() {
        let calculator = calculator();
        let [first, here] = [Client::V4([192, 0, 2, 1].into()), Client::V4([192, 0, 2, 2].into())];
        let ended = Mutex::new(Vec::new());
        let ask = async |asker, name| {
            let value = calculator.work_out(asker, &Worked::default(), name).await;
            ended.lock().unwrap().push(name);
            value
        };
        let (late, one, two, known) = tokio::join!(
            ask(Asker::Known(first), "hang"),
            ask(Asker::Stranger(here), "1"),
            ask(Asker::Stranger(here), "2"),
            ask(Asker::Known(here), "3"),
        );
        assert_eq!((late, two), (Err(NoValue::Late), Err(NoValue::Busy)));
        assert_eq!((one, known), (Ok("= 1".to_owned()), Ok("= 3".to_owned())));
        assert_eq!(*ended.lock().unwrap(), ["2", "hang", "3", "1"]);
        assert_eq!(ask(Asker::Stranger(here), "4").await, Ok("= 4".to_owned()));
    }

    #[tokio::test]
    async fn who_calls_does_not_wait_for_all_whose_addresses_may_be_made_up() {
        let calculator = Arc::new(calculator());
        let mut senders = tokio::task::JoinSet::new();
        for last in 1..=200 {
            let calculator = Arc::clone(&calculator);
            let asker = Asker::Unproven(Client::V4([192, 0, 2, last].into()));
            senders.spawn(
                async move { calculator.value_for(asker, &Worked::default(), "hang").await },
            );
        }
        assert_eq!(senders.join_next().await.unwrap().unwrap(), evaluate::LATE);
        assert_eq!(calculator.value(Client::V4([192, 0, 3, 1].into()), "1").await, "= 1");
        // One was under way, and one more may be by now.
        let done = std::iter::from_fn(|| senders.try_join_next()).count();
        assert!(done <= 2, "{done}");
    }

    #[tokio::test]
    async fn who_was_worked_for_comes_behind_the_others_of_its_address() {
        let calculator = calculator();
        let [slow, other, new] = [(); 3].map(|()| Worked::default());
        let ended = Mutex::new(Vec::new());
        let ask = async |worked: &Worked, name| {
            let value = calculator.value_after(worked, Client::Local, name).await;
            ended.lock().unwrap().push(name);
            value
        };
        assert_eq!(ask(&slow, "hang").await, evaluate::LATE);
        assert!(slow.so_far() >= Duration::from_millis(200), "{:?}", slow.so_far());
        tokio::join!(ask(&other, "hang"), ask(&slow, "1"), ask(&new, "2"));
        assert_eq!(*ended.lock().unwrap(), ["hang", "hang", "2", "1"]);
    }

    #[tokio::test]
    async fn an_address_has_so_many_places_and_who_is_gone_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hangs");
        let hangs = || fs::read(&file).unwrap().len();
        let calculator = Arc::new(calculator_that_notes(&file));
        let from = |last| Client::V4([192, 0, 2, last].into());
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..60 {
            let calculator = Arc::clone(&calculator);
            asking.spawn(async move { calculator.value(from(1), "hang").await });
        }
        // One is at the child, perhaps before all have come.
        for _ in 0..60 - WAITING_MAX.of_one - 1 {
            assert_eq!(asking.join_next().await.unwrap().unwrap(), BUSY);
        }
        assert_eq!(calculator.value(from(2), "1").await, "= 1");
        asking.shutdown().await;
        assert_eq!(calculator.value(from(1), "2").await, "= 2");
        // All that had a place would be one more.
        assert!(hangs() <= WAITING_MAX.of_one, "{}", hangs());
    }

    #[tokio::test]
    async fn a_thread_that_was_refused_is_started_with_the_next_expression() {
        let calculator = calculator();
        calculator.start_missing(|_, _| Err(io::ErrorKind::WouldBlock.into()));
        assert_eq!(calculator.missing.load(Relaxed), 1);
        assert_eq!(calculator.value(Client::Local, "1").await, "= 1");
        assert_eq!(calculator.missing.load(Relaxed), 0);
    }

    #[tokio::test]
    async fn a_child_is_kept() {
        let calculator = calculator();
        assert_eq!(
            calculator.value(Client::Local, "pid").await,
            calculator.value(Client::Local, "pid").await
        );
    }

    #[tokio::test]
    async fn who_was_killed_while_nobody_asked_is_replaced() {
        let calculator = calculator();
        let pid = calculator.value(Client::Local, "pid").await.parse().unwrap();
        let pid = Pid::from_raw(pid).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        // It dies in its own time, and is left for who asks next to find.
        let dead = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid), dead).unwrap();
        assert_eq!(calculator.value(Client::Local, "6").await, "= 6");
    }

    #[tokio::test]
    async fn what_cannot_run_is_said_not_to() {
        let program = Program { path: "/nonexistent".into(), arguments: Vec::new() };
        assert_eq!(Calculator::new(program, 1).value(Client::Local, "1").await, NO_CHILD);
        let other = Program { path: "/bin/echo".into(), arguments: vec!["hello".to_owned()] };
        assert_eq!(Calculator::new(other, 1).value(Client::Local, "1").await, NO_CHILD);
    }

    #[test]
    fn what_is_no_expression_does_not_get_to_a_child() {
        check(" ", Err("nothing to evaluate: expected an expression, e.g. `3 km in miles`"));
        check("1\t+\u{1b}", Err("a control character at character 2"));
        check(&"(".repeat(1200), Err("1200 bytes: expected at most 256"));
        check(&"1".repeat(256), Ok(()));
    }

    #[track_caller]
    fn check(expression: &str, expect: Result<(), &str>) {
        assert_eq!(judge(expression), expect.map_err(str::to_owned));
    }
}
