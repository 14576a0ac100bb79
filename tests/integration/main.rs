//! Tests of the program from outside, over real sockets: one binary, as building and linking one for each file takes longer than most of
//! the tests. A test that does something to a process (limits, signals, a full disk) does it to a server of its own, never to this one.

mod commands;
mod crash;
mod data;
mod egress;
mod encryption_key;
mod flows;
mod following;
mod forwarding;
mod isolation;
mod lockstep;
mod memory;
mod mistakes;
mod nodes;
#[cfg(target_os = "linux")]
mod open_files;
mod postgres;
mod process;
mod program;
mod recorded;
mod stall;
mod stop;
