//! The line between a server and its database, in the hand of a test.

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::scratch::Scratch;

/// How the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    /// Connections break, and new ones are refused.
    Cut,
    /// Octets stay where they are, both ways, until the line is mended.
    Held,
    /// What comes back from the database is lost; the next octet of it breaks the connection.
    LosesAnswers,
}

/// A socket that passes on to that of the database.
pub(crate) struct Cable {
    state: Arc<watch::Sender<State>>,
    dir: Scratch,
}

impl Cable {
    /// Lays a cable to a database.
    pub(crate) fn to(database: &PgConnectOptions) -> Self {
        let socket = format!(".s.PGSQL.{}", database.get_port());
        let target = database.get_socket().expect("the tests' database has a socket").join(&socket);
        let dir = Scratch::new(0o700);
        let listener = UnixListener::bind(dir.path().join(&socket)).unwrap();
        let state = Arc::new(watch::channel(State::Whole).0);
        tokio::spawn(accept(listener, target, Arc::clone(&state)));
        Self { state, dir }
    }

    /// How to connect through it.
    pub(crate) fn options(&self, database: &PgConnectOptions) -> PgConnectOptions {
        database.clone().socket(self.dir.path())
    }

    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    pub(crate) fn hold(&self) {
        self.state.send_replace(State::Held);
    }

    pub(crate) fn lose_answers(&self) {
        self.state.send_replace(State::LosesAnswers);
    }

    pub(crate) fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

async fn accept(listener: UnixListener, target: PathBuf, state: Arc<watch::Sender<State>>) {
    while let Ok((near, _)) = listener.accept().await {
        if *state.borrow() != State::Cut {
            tokio::spawn(carry(near, target.clone(), state.subscribe()));
        }
    }
}

/// Carries octets both ways until either end closes or the cable is cut.
async fn carry(mut near: UnixStream, target: PathBuf, mut state: watch::Receiver<State>) {
    let Ok(mut far) = UnixStream::connect(target).await else { return };
    let (mut up, mut down) = ([0; 16 * 1024], [0; 16 * 1024]);
    loop {
        let now = *state.borrow_and_update();
        if now == State::Cut {
            return;
        }
        tokio::select! {
            _ = state.changed() => {}
            read = near.read(&mut up), if now != State::Held => match read {
                Ok(octets) if octets > 0 && far.write_all(&up[..octets]).await.is_ok() => {}
                _ => return,
            },
            read = far.read(&mut down), if now != State::Held => match read {
                Ok(octets) if octets > 0 && now == State::Whole && near.write_all(&down[..octets]).await.is_ok() => {}
                _ => return,
            },
        }
    }
}
