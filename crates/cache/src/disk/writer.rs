//! The writer: one thread that takes changes in the order in which they were asked for.

use std::{fs, io, sync::Arc, thread, time::Duration};

use super::{
    body_writer::write_body,
    evict,
    health::Counts,
    index::Extent,
    log::{Log, Pushed},
    open_error::naming,
    purge::{Ban, Verdict},
    queue::{Job, Meta, Object, Queued, WrittenFile},
    retry::{Do, Tries},
    segment::Patience,
    settings::SMALL_BODY_MAX,
    store::Store,
    ticket::{Done, NotDurable},
};

/// So much is written at once.
const BATCH_BYTES: u64 = 2 << 20;

/// Writes until the queue is closed and empty.
pub(super) fn write_all(log: &mut Log) {
    let store = Arc::clone(&log.store);
    let mut tries = Tries::new(store.settings.retry);
    loop {
        let batch = store.queue.take(BATCH_BYTES, store.settings.retry);
        if batch.is_closed {
            break;
        }
        if batch.is_idle && !log.is_behind() && !store.folder.is_there() {
            // Else what is written would go to files that nobody finds.
            let gone = naming(&store.folder.path.join("format"))(io::ErrorKind::NotFound.into());
            store.health.fails(&gone);
        }
        match tries.look(log.is_behind(), batch.has_rung) {
            Do::Nothing => (),
            Do::Wait(pause) => store.timer.set(pause),
            Do::Try => {
                let works = log.try_again().is_ok();
                if !works && store.health.is_full() {
                    // The disk has less room than we were told we may take: so we take less.
                    evict::drop_oldest(log);
                }
                store.timer.set(tries.tried(works));
            }
        }
        let bytes = batch.jobs.iter().map(|queued| queued.job.weight()).sum();
        evict::make_room(log, bytes);
        let keys: Vec<_> =
            batch.jobs.iter().filter_map(|queued| store.hash_of(&queued.job)).collect();
        for queued in batch.jobs {
            obey(log, queued);
        }
        // What failed was said where it failed.
        let _ = log.flush();
        // Only now the index has them.
        for hash in keys {
            store.pending.remove(hash);
        }
    }
}

fn obey(log: &mut Log, Queued { seq, job, done }: Queued) {
    let store = Arc::clone(&log.store);
    let of = job.meta().map(|meta| store.variant_of(meta));
    let pushed = push(log, (seq, job), done);
    if let Err(error) = &pushed {
        store.health.fails(error);
    }
    if let (Some(of), Ok(Pushed::Not) | Err(_)) = (of, pushed) {
        // What fails is owed.
        let _ = log.take_older_out(seq, of);
    }
}

fn push(log: &mut Log, (seq, job): (u64, Job), done: Option<Arc<Done>>) -> io::Result<Pushed> {
    let store = Arc::clone(&log.store);
    let is_behind = log.is_behind();
    match job {
        Job::Purge(what, manner) => {
            log.push_purge(Ban { seq, what, manner }, done).map(|()| Pushed::All)
        }
        Job::InsertFile(_, file) if is_behind => {
            give_up_part(&store, &file);
            Ok(Pushed::Not)
        }
        _ if is_behind => {
            Counts::add(&store.counts.not_stored, 1);
            Ok(Pushed::Not)
        }
        Job::Insert(object) if object.body.len() as u64 <= SMALL_BODY_MAX => {
            log.push_inline(seq, &object.meta, &object.body)
        }
        Job::Insert(object) => insert_large(log, seq, &object),
        Job::InsertFile(meta, file) => insert_file(log, seq, &meta, &file),
        Job::Refresh(meta) => refresh(log, seq, &meta),
    }
}

/// Stores an object whose body is in a file under its temporary name.
fn insert_file(log: &mut Log, seq: u64, meta: &Meta, file: &WrittenFile) -> io::Result<Pushed> {
    let store = &log.store;
    // Before its record: one whose file has no record is deleted by the next start.
    let named = fs::rename(store.bodies.part_path(file.file), store.bodies.path(file.file));
    if let Err(error) = named {
        give_up_part(store, file);
        // Somebody has deleted it: no fault of the disk.
        let path = store.bodies.part_path(file.file);
        let is_gone = error.kind() == io::ErrorKind::NotFound;
        return if is_gone { Ok(Pushed::Not) } else { Err(naming(&path)(error)) };
    }
    log.push_file(seq, meta, file)
}

fn insert_large(log: &mut Log, seq: u64, object: &Object) -> io::Result<Pushed> {
    match write_body(&log.store, &object.body) {
        Ok(Some(file)) => insert_file(log, seq, &object.meta, &file),
        Ok(None) => {
            Counts::add(&log.store.counts.not_stored, 1);
            Ok(Pushed::Not)
        }
        Err(error) => {
            Counts::add(&log.store.counts.not_stored, 1);
            Err(error)
        }
    }
}

/// Writes a newer head of the object with the same key, selection and time, if it is still there:
/// what took its place is newer.
fn refresh(log: &mut Log, seq: u64, meta: &Meta) -> io::Result<Pushed> {
    let store = Arc::clone(&log.store);
    // What was asked for before may stand in the buffer.
    log.flush()?;
    let (hash, variant) = store.variant_of(meta);
    let slot = store.index.find_of((hash, Some(variant))).into_iter().next();
    let Some(slot) = slot else { return Ok(Pushed::All) };
    let Ok(read) = store.read(&slot, Patience::Waits) else {
        store.lose(&slot);
        return Ok(Pushed::All);
    };
    let front = &read.front;
    let is_it = front.key() == meta.key
        && front.selection() == meta.selection
        && front.header.stored_at == meta.stored_at;
    if !is_it || store.purges.verdict(front) == Verdict::Gone {
        return Ok(Pushed::All);
    }
    if let Extent::File(file) = slot.extent {
        let is_there = store.bodies.has(file);
        return if is_there { log.push_head(seq, meta, &front.header) } else { Ok(Pushed::All) };
    }
    if let Ok(body) = store.inline_body(&slot, &read, Patience::Waits) {
        return log.push_inline(seq, meta, &body);
    }
    store.lose(&slot);
    Ok(Pushed::All)
}

fn give_up_part(store: &Store, file: &WrittenFile) {
    store.bodies.delete_part(file.file, &store.folder);
    store.space.give(file.file_len);
    Counts::add(&store.counts.not_stored, 1);
}

/// When the writer ends, however it does: nobody waits for it in vain.
pub(super) struct RefuseRest(pub Arc<Store>);

impl Drop for RefuseRest {
    fn drop(&mut self) {
        self.0.queue.close();
        if thread::panicking() {
            self.0.health.fails(&io::Error::other("the writer failed; start again"));
        }
        for queued in self.0.queue.take(u64::MAX, Duration::ZERO).jobs {
            if let Some((hash, variant)) = queued.job.meta().map(|meta| self.0.variant_of(meta)) {
                let older = self.0.index.remove_all((hash, Some(variant)));
                for slot in &older {
                    self.0.released(slot);
                }
            }
            match (queued.job, queued.done) {
                (_, Some(done)) => done.tell(Err(NotDurable::Closed)),
                (Job::InsertFile(_, file), _) => give_up_part(&self.0, &file),
                _ => Counts::add(&self.0.counts.not_stored, 1),
            }
        }
    }
}
