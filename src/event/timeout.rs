//! The time of an event: PHP's `float $timeout`.

use std::time::Duration;

/// How long an event waits: a [`Duration`], an `Option<Duration>`, or `None`, which is for ever.
///
/// PHP's seconds are a float; `Duration::from_secs_f64` takes one. No other type can implement this trait.
///
/// ```
/// use std::time::Duration;
/// use php_sockets::event::{Event, EventBase};
///
/// let base = EventBase::new()?;
/// let timer = Event::timer(&base, |_| println!("now"));
/// timer.add(Duration::from_secs_f64(0.01))?; // PHP: $timer->add(0.01)
/// base.dispatch()?;
/// # Ok::<(), php_sockets::Error>(())
/// ```
///
/// [php.net: Event::add](https://www.php.net/event.add)
#[diagnostic::on_unimplemented(
    message = "a time is a `Duration` or `None`, not `{Self}`",
    label = "write `Duration::from_secs_f64(0.5)` for half a second, `Duration::from_secs(5)` for five",
    note = "`use std::time::Duration;`; `None` waits for ever"
)]
pub trait Timeout: sealed::Timeout {}

/// Limits the trait to the types listed there.
mod sealed {
    use std::time::Duration;

    pub trait Timeout {
        fn timeout(self) -> Option<Duration>;
    }
}

impl Timeout for Duration {}
impl sealed::Timeout for Duration {
    #[inline]
    fn timeout(self) -> Option<Duration> {
        Some(self)
    }
}

impl Timeout for Option<Duration> {}
impl sealed::Timeout for Option<Duration> {
    #[inline]
    fn timeout(self) -> Option<Duration> {
        self
    }
}
