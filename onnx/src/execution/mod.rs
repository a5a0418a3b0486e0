//! A network as a runtime executes it: its operators, by the rules of the runtime.

mod layout;
mod rules;
mod work;

use lglp_sdk::plugin::abi::Operator;

use crate::Network;
use layout::Layout;
pub use rules::Rules;

/// How values lie in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// As ONNX has them.
    #[default]
    Plain,
    /// In blocks of channels.
    Blocked,
}

/// What a runtime executes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Executed {
    /// In their order, for one input of the batch. What is put before an operator has its block and layer.
    pub operators: Vec<Operator>,
    /// In what each costs otherwise than its operator tells, such as `dilated`.
    pub peculiar: Vec<Option<&'static str>>,
    /// How what the last operator gives lies in memory.
    pub gives: Order,
}

impl Network {
    /// What a runtime of these rules executes of it; the operators as they are, where there are no rules.
    pub fn executed(&self, rules: Option<&Rules>) -> Executed {
        self.executed_behind(Order::Plain, rules)
    }

    /// As [`Self::executed`], of a part of a network: what it reads another part gives, which lies in memory so.
    pub fn executed_behind(&self, input: Order, rules: Option<&Rules>) -> Executed {
        match rules {
            Some(rules) => Layout::new(self, input, rules).executed(),
            None => Executed {
                operators: self.operators.clone(),
                peculiar: self.origins.iter().map(|origin| origin.peculiar).collect(),
                gives: Order::Plain,
            },
        }
    }
}
