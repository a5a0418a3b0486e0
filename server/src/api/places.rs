//! Places for those who listen for long: so many in all, and so many for each caller.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use lglp_openapi::problem::Slug;

use super::problem::ApiError;

/// Who may listen at once.
const ALL: usize = 1024;

/// Of them, with one token.
const EACH: usize = 64;

/// How many places each caller has taken; callers that have none are not in it.
#[derive(Clone, Default)]
pub struct Places(Arc<Mutex<HashMap<String, usize>>>);

/// A place, given back when it is dropped.
pub struct Place {
    places: Places,
    caller: String,
}

impl Places {
    /// Takes a place for a caller.
    ///
    /// # Errors
    /// 429 where the caller has too many, or all are taken.
    pub fn take(&self, caller: &str) -> Result<Place, ApiError> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.get(caller).is_some_and(|own| *own >= EACH) {
            return Err(too_many(format!(
                "{caller} listens {EACH} times at once already; close some"
            )));
        }
        if taken.values().sum::<usize>() >= ALL {
            return Err(too_many(format!("{ALL} listen at once already; try again later")));
        }
        *taken.entry(caller.to_owned()).or_default() += 1;
        Ok(Place {
            places: self.clone(),
            caller: caller.to_owned(),
        })
    }
}

fn too_many(detail: String) -> ApiError {
    let title = "Too many listeners";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, Slug::TooManyListeners, title, detail).with_header(RETRY_AFTER, "10")
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.caller) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_places_and_all_are_given_back() {
        let places = Places::default();
        let mut own: Vec<_> = (0..EACH).map(|_| places.take("ann").expect("a place")).collect();
        assert!(places.take("ann").is_err());
        let others: Vec<_> = (EACH..ALL)
            .map(|other| places.take(&other.to_string()).expect("a place"))
            .collect();
        assert!(places.take("one more").is_err());
        own.pop();
        drop(places.take("one more").expect("a place"));
        own.push(places.take("ann").expect("a place"));
        drop((own, others));
        assert!(places.0.lock().unwrap().is_empty());
    }
}
