//! The lessons, as `lessons/lessons.toml` lists them: its first lines say what each key means.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::common;

/// A lesson's row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lesson {
    #[serde(skip)]
    pub number: String,
    slug: String,
    pub title: String,
    pub learn: String,
    #[serde(default)]
    pub client_of: Option<String>,
    #[serde(default)]
    pub myths: Vec<String>,
    #[serde(default)]
    pub few: Vec<String>,
    #[serde(default)]
    pub stand_in: Option<String>,
    #[serde(default)]
    pub server: Option<Service>,
}

/// The requests of a server's clients, and the answers that they hear.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    pub port: u16,
    pub serves: Serves,
    #[serde(default)]
    pub arguments: Vec<String>,
    #[serde(default)]
    pub ends_after: Option<usize>,
    #[serde(default)]
    pub greeting: String,
    #[serde(default)]
    alone: Option<String>,
    #[serde(default)]
    pub request: String,
    #[serde(default)]
    pub answer: String,
    #[serde(default)]
    pub each_read: bool,
    #[serde(default)]
    pub may_end: bool,
    #[serde(default = "three_and_a_listener")]
    pub idle: usize,
}

/// The service that a client gets while another one misbehaves.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Serves {
    /// All at once.
    Together,
    /// All at once; what one says the others hear.
    Chat,
    /// The same with bytes as they come, and without a word of the server's own.
    Relay,
    /// One after another. No client keeps its turn for long; after five it ends.
    InTurns,
    /// One after another, each as long as it likes: who comes meanwhile waits.
    OneByOne,
    /// One client, and then it ends.
    Once,
}

/// The part that a lesson has in its demo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part {
    /// It needs no second terminal.
    Alone,
    /// The server of any client.
    Server,
    /// The client of another lesson, which is given.
    ClientOf(&'static Lesson),
    /// The client of the server that the demo plays.
    Client,
}

fn three_and_a_listener() -> usize {
    4
}

impl Serves {
    /// Many clients on the same server.
    pub(crate) fn many(self) -> bool {
        self == Serves::Together || self.chat()
    }

    pub(crate) fn chat(self) -> bool {
        matches!(self, Serves::Chat | Serves::Relay)
    }
}

impl PartialEq for Lesson {
    fn eq(&self, other: &Lesson) -> bool {
        self.number == other.number
    }
}

impl Lesson {
    /// The name of its folder in `lessons/`.
    pub(crate) fn folder(&self) -> String {
        format!("{}-{}", self.number, self.slug)
    }

    /// The path of a file in its folder.
    pub(crate) fn path(&self, name: &str) -> String {
        let path = common::root().join("lessons").join(self.folder()).join(name);
        path.into_os_string().into_string().expect("UTF-8")
    }

    /// The text of a file in its folder.
    pub(crate) fn file(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn part(&self) -> Part {
        match (&self.server, self.client_of.as_deref()) {
            (Some(_), _) => Part::Server,
            (None, None) => Part::Alone,
            (None, Some("demo")) => Part::Client,
            (None, Some(number)) => Part::ClientOf(lesson(number)),
        }
    }
}

impl Service {
    /// The greeting of a client that is alone.
    pub(crate) fn greeting_alone(&self) -> &str {
        self.alone.as_ref().unwrap_or(&self.greeting)
    }
}

/// The lessons that a text in TOML lists, or what is wrong with it.
pub(crate) fn read(text: &str) -> Result<Vec<Lesson>, String> {
    let rows: BTreeMap<String, Lesson> = toml::from_str(text).map_err(|error| error.to_string())?;
    Ok(rows.into_iter().map(|(number, lesson)| Lesson { number, ..lesson }).collect())
}

/// All lessons in order.
pub(crate) fn lessons() -> &'static [Lesson] {
    static LESSONS: LazyLock<Vec<Lesson>> = LazyLock::new(|| {
        let text = std::fs::read_to_string(common::root().join("lessons/lessons.toml")).expect("the file");
        read(&text).unwrap_or_else(|error| panic!("lessons/lessons.toml: {error}"))
    });
    &LESSONS
}

/// The lesson with this number.
pub(crate) fn lesson(number: &str) -> &'static Lesson {
    lessons()
        .iter()
        .find(|lesson| lesson.number == number)
        .unwrap_or_else(|| panic!("lessons/lessons.toml has no [{number}]"))
}
