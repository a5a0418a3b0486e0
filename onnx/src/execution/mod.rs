//! A network as a runtime executes it: its operators, by the rules of the runtime.

mod layout;
mod rules;

use lglp_sdk::plugin::abi::Operator;

use crate::Network;
use layout::Layout;
pub use rules::Rules;

/// What a runtime executes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Executed {
    /// In their order, for one input of the batch.
    pub operators: Vec<Operator>,
    /// In what each costs otherwise than its operator tells, such as `dilated`.
    pub peculiar: Vec<Option<&'static str>>,
}

impl Executed {
    fn push(&mut self, operator: Operator, peculiar: Option<&'static str>) {
        self.operators.push(operator);
        self.peculiar.push(peculiar);
    }
}

impl Network {
    /// What a runtime of these rules executes of it; the operators as they are, where there are no rules.
    pub fn executed(&self, rules: Option<&Rules>) -> Executed {
        match rules {
            Some(rules) => Layout::new(self, rules).executed(),
            None => Executed {
                operators: self.operators.clone(),
                peculiar: self.origins.iter().map(|origin| origin.peculiar).collect(),
            },
        }
    }
}
