//! `benches/README.md`: the table, the machine, and how to read them. Written by a run, never by hand.

use crate::table::Table;

/// All of the page but what another program writes, see [`crate::section`].
pub(crate) fn page(
    table: &Table,
    machine: &str,
    rounds: usize,
    quiet: bool,
    has_peer: bool,
) -> String {
    let busy = busy(table, quiet);
    let without_peer = if has_peer {
        ""
    } else {
        "

**This page was written without a peer.** The script and the requests are tested with a stand-in that answers as Svix' documentation says,
on a real PostgreSQL and Redis, but `svix-server` itself was not run: no figure on this page is one of Svix."
    };
    format!(
        "\
# Benchmarks

Written by `benches/delivery`, which builds the server as it is shipped, measures, prints this page and replaces it. `benches/delivery
--quick` takes a minute and writes nothing, `--only publish` measures one thing, `--help` lists the rest.
{busy}
{machine}
{table}
{missed}
## How to read it

- Load, receiver and server share the machine's cores; the server is the real program with its defaults, on a new SQLite file
  on the repository's disk; a publication is answered when it would survive a loss of power. Everything goes over HTTP on loopback.
- Best and median are those of {rounds} rounds. A round runs every measure once, the limits among them.
- *Beside its limit* compares medians. The bare client loop posts the bytes of a captured delivery to the same receiver with keep-alive,
  with hyper, the server's own HTTP client library, on as many connections as there are publishers (64 for fan-out 100); the bare socket
  loop does so with requests written and answers parsed by hand. The bare commit loop inserts rows of 400 bytes into one table
  without index in SQLite, as durable as the server's.
- *Publish to delivery*, *deliveries*: events are published over HTTP, each client as soon as its last one is answered, for 5 s; the
  rate counts until the last delivery is received. A delivery that did not arrive would fail the run.
  *p50* and *p99* are from the first byte of a publication to the last byte of each of its deliveries. *Processor time each* is that of the
  server for everything meanwhile, and *on disk each* what its database has grown by, both by the number of deliveries.
- *Publish to receiver*: from the first byte of the publication to the last byte of the delivery. At a steady rate the clients take turns.
- *Queue*: 100 receivers hang while a queue is built, then answer at once; the figures are for emptying it, without building it. 32
  attempts may be under way in place of 256: those that hang were sent before the measure begins, which makes a short queue cheaper.
- *Healthy receivers*: 20 receivers get 200 events a second in turn, on two servers at the same time: alone on the one, beside a receiver that
  hangs to the deadline and has a backlog of 20,000 on the other.
- *Memory* is `VmRSS` idle and `VmHWM` under load, with the program's own pages.
- *Others* is the share of the machine that other processes, and the kernel on its own, used meanwhile.

## A peer beside it

`benches/delivery --beside svix=PATH` measures [Svix](https://github.com/svix/svix-webhooks) too, in rows that end in *svix*. PATH is its program
`svix-server`; `benches/peers/svix` starts it for each load with a PostgreSQL and a Redis of its own, packages of the distribution, in a new
folder on the same disk.{without_peer}

- Load, number of clients, receiver, data of the events, and how rates and times are taken are the same. Endpoints are created over Svix' API
  and have no filter; our webhooks are for one type of event. *Processor time each* is given for server, PostgreSQL and Redis.
- Durability differs. Svix answers a publication when its message is committed to PostgreSQL, which survives a loss of power, and queued in
  Redis, which writes nothing to disk here: when Redis ends, queued deliveries are lost. Its documentation recommends a Redis that
  writes to disk, which is slower. Our answer comes when the event and all its deliveries would survive.
- Retries differ: Svix tries again after 5 seconds, 5 minutes, 30 minutes and so on, our server when Equals Money says. The receiver accepts
  every request, so neither shows here.
- Signatures differ: Svix signs the message's id, the time and the body, our server the body alone, as Equals Money says. Both make one
  HMAC-SHA256 of each request.
- Svix has its default settings, among them 20 connections to PostgreSQL, and a queue in Redis. Variables `SVIX_*` change others.
",
        table = table.to_markdown(),
        missed = table.missed()
    )
}

/// The part on PostgreSQL.
pub(crate) fn page_of_postgres(table: &Table, machine: &str, rounds: usize, quiet: bool) -> String {
    let busy = busy(table, quiet);
    format!(
        "\
## PostgreSQL

Written by `benches/delivery --database postgres`, which starts a PostgreSQL server with its defaults on the repository's disk, and one,
two and three nodes on it.
{busy}
{machine}
{table}
{missed}
- Nodes, database, load and receiver share the machine's cores. Commits are durable on both databases: `synchronous_commit` is on. Best and
  median are those of {rounds} rounds; a round measures everything once, SQLite and the limits included.
- The bare commit loop inserts rows of 400 bytes into one table without index, as `pgbench` would: each connection commits, waits, and
  commits again. *NOTIFY in each*: each transaction also sends a notification, to which one connection listens.
- *Publish to delivery*: 64 clients, shared out among the nodes, publish for 5 s, each as soon as its last event is answered; the rate
  counts until the last delivery is received. *Commits each* and *log each* are `xact_commit` and the bytes of the write-ahead log by the
  number of deliveries, with the commits of claims that find nothing and of statistics. *Processor time each* is that of the nodes alone.
  *Connections* are the most that one node had while it published.
- *Publish to the queue*: the same clients for the same time, on nodes with `--api` alone, so that every delivery goes into the queue and
  nodes notify each other of it; nothing is delivered. *Without NOTIFY*: `--database-listen` names a place where nobody listens. *Commits*
  are those of the whole database.
- *Publish to receiver*: 200 events a second in all, the nodes in turn; from the first byte of the publication to the last byte of the
  delivery. *Split*: one node with `--api` and one with `--worker`; *without waking* the worker cannot be told, and looks once a second.
- *800 events/s*: one node, for a minute; *split*: one node with `--api` and one with `--worker`, so that every delivery goes through the
  queue. Each then once more beside a transaction that is left open, behind which nothing can be vacuumed. `--only idle` first publishes an
  hour's worth of deliveries beside that transaction, which is not part of a full run.
- *Others* is the share of the machine that other processes used meanwhile.
",
        table = table.to_markdown(),
        missed = table.missed()
    )
}

fn busy(table: &Table, quiet: bool) -> String {
    if quiet {
        return String::new();
    }
    format!(
        "\n**Measured on a busy machine**: other processes used up to {:.0} % of it. The machine alone does better.\n",
        table.most_by_others()
    )
}
