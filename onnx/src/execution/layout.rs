//! Values in blocks of channels: which operators work on them, what is put between those and the others, and what convolutions take on there.

use lglp_sdk::plugin::abi::*;
use lglp_sdk::plugin::operator::{ACTIVATION_NAMES, name_of};

use super::work::{given_by, padded, read_by, reordered, scale};
use super::{Executed, Order, Rules};
use crate::rewrite::SQUEEZE_EXCITE;
use crate::{Network, Origin};

/// What an operator reads and gives.
#[derive(Clone, Copy)]
struct Orders {
    /// `None` where it takes values as they come.
    reads: Option<Order>,
    gives: Order,
}

impl Orders {
    const PLAIN: Self = Self {
        reads: Some(Order::Plain),
        gives: Order::Plain,
    };
    const BLOCKED: Self = Self {
        reads: Some(Order::Blocked),
        gives: Order::Blocked,
    };
}

/// What one operator gives, or goes into the network.
#[derive(Clone, Copy)]
struct Given {
    order: Order,
    /// Whether it lies there in the other order, too.
    is_reordered: bool,
    /// How many operators read it.
    readers: usize,
    /// The row of the convolution that computes it and may take on more.
    convolution: Option<usize>,
}

/// A walk over a network's operators, in their order.
pub(super) struct Layout<'a> {
    network: &'a Network,
    rules: &'a Rules,
    input: Given,
    given: Vec<Given>,
    executed: Executed,
    /// The operator that is walked to.
    at: usize,
}

impl<'a> Layout<'a> {
    pub(super) fn new(network: &'a Network, input: Order, rules: &'a Rules) -> Self {
        let given = Given {
            order: Order::Plain,
            is_reordered: false,
            readers: 0,
            convolution: None,
        };
        let input = Given { order: input, ..given };
        let mut given = vec![given; network.operators.len()];
        for read in network.origins.iter().flat_map(|origin| &origin.reads).flatten() {
            given[*read].readers += 1;
        }
        Self {
            network,
            rules,
            input,
            given,
            executed: Executed::default(),
            at: 0,
        }
    }

    /// The operators that the runtime executes.
    pub(super) fn executed(mut self) -> Executed {
        let network = self.network;
        for (at, (operator, origin)) in network.operators.iter().zip(&network.origins).enumerate() {
            self.at = at;
            let orders = self.orders(operator, origin);
            self.given[at].order = orders.gives;
            if self.takes_on(at, operator, origin) {
                continue;
            }
            if let Some(order) = orders.reads {
                self.reorder(operator, origin, order);
            }
            self.append(at, operator, origin, orders);
        }
        for (at, (operator, origin)) in network.operators.iter().zip(&network.origins).enumerate() {
            if origin.is_output && self.given[at].order == Order::Blocked {
                self.at = at;
                self.push(reordered(given_by(operator)), None);
            }
        }
        self.executed.gives = self.given.last().unwrap_or(&self.input).order;
        self.executed
    }

    /// Appends what is executed for the operator that is walked to.
    fn push(&mut self, operator: Operator, peculiar: Option<&'static str>) {
        let Operator { block, layer, .. } = self.network.operators[self.at];
        self.executed.operators.push(Operator {
            block,
            layer,
            ..operator
        });
        self.executed.peculiar.push(peculiar);
    }

    /// What an operator reads: what another gives, or what goes into the network.
    fn read(&self, read: Option<usize>) -> &Given {
        read.map_or(&self.input, |at| &self.given[at])
    }

    /// Lets the convolution before an operator do what that does: add another value, or an activation.
    fn takes_on(&mut self, at: usize, operator: &Operator, origin: &Origin) -> bool {
        let is_sum = operator.kind == OPERATOR_ADD;
        let is_activation = operator.kind == OPERATOR_ELEMENT_WISE && operator.activation != ACTIVATION_NONE;
        if !(is_sum || is_activation) {
            return false;
        }
        let gives = self.given[at].order;
        let can = |read: usize| {
            let (given, before) = (&self.given[read], &self.network.origins[read]);
            // What a convolution adds takes the place of its bias, but in blocks.
            let adds = given.order == gives && (before.has_bias || gives == Order::Blocked);
            given.readers == 1 && !before.is_output && (adds || !is_sum)
        };
        let mut reads = origin.reads.iter().flatten().copied().filter(|read| can(*read));
        let Some((before, row)) = reads.find_map(|read| Some((read, self.given[read].convolution?))) else {
            return false;
        };
        let order = self.given[before].order;
        let is_apart = self.is_apart(operator, origin, order);
        if is_apart && !is_sum {
            return false;
        }
        self.given[at].order = order;
        // It adds one value, and none behind an activation.
        self.given[before].convolution = None;
        if is_apart {
            self.append_apart(at, operator, origin);
        } else {
            self.executed.operators[row].activation = operator.activation;
        }
        true
    }

    /// Brings what an operator reads into the order that it works on, where nothing did so before.
    fn reorder(&mut self, operator: &Operator, origin: &Origin, order: Order) {
        for read in &origin.reads {
            let given = self.read(*read);
            if given.order == order || given.is_reordered {
                continue;
            }
            read.map_or(&mut self.input, |at| &mut self.given[at]).is_reordered = true;
            let values = match read {
                // What is read may be a part of what is given, or seen as of other sides.
                Some(read) if origin.reads.len() > 1 || order == Order::Plain => {
                    given_by(&self.network.operators[*read])
                }
                _ => read_by(operator),
            };
            self.push(reordered(values), None);
        }
    }

    /// Appends an operator, and the activation behind it where that is a step of its own.
    fn append(&mut self, at: usize, operator: &Operator, origin: &Origin, orders: Orders) {
        let row = self.executed.operators.len();
        let is_convolution = origin.op == "Conv" && operator.kind != OPERATOR_OTHER;
        let is_scale = origin.op == "BatchNormalization" && orders.gives == Order::Blocked;
        let mut own = if is_scale { scale(operator) } else { *operator };
        if is_convolution && orders.gives == Order::Plain {
            own.kind = OPERATOR_IM2COL;
        }
        let reads_blocks = orders.reads == Some(Order::Blocked);
        own = padded(&own, self.rules.block, reads_blocks, orders.gives == Order::Blocked);
        let is_function = matches!(operator.kind, OPERATOR_ELEMENT_WISE | OPERATOR_NORMALIZATION);
        if !is_function && self.is_apart(operator, origin, orders.gives) {
            own.activation = ACTIVATION_NONE;
            self.push(own, origin.peculiar);
            self.append_apart(at, operator, origin);
        } else if is_function && self.is_spelled_out(origin) {
            self.append_apart(at, operator, origin);
        } else {
            self.push(own, origin.peculiar);
            let takes_on = (is_convolution && origin.rank == IMAGES || is_scale) && own.activation == ACTIVATION_NONE;
            self.given[at].convolution = takes_on.then_some(row);
        }
        // Its product is brought back into blocks as often as its input was out of them: that is in its price.
        let before = origin.reads.first().copied().flatten();
        let was_blocked = self.read(before).order == Order::Blocked;
        self.given[at].is_reordered = origin.op == SQUEEZE_EXCITE && was_blocked;
    }

    /// Whether the activation of an operator is a step of its own.
    fn is_apart(&self, operator: &Operator, origin: &Origin, order: Order) -> bool {
        if operator.activation == ACTIVATION_NONE || origin.op == SQUEEZE_EXCITE {
            return false;
        }
        // Of what a convolution adds, or what stands alone.
        let is_behind = matches!(operator.kind, OPERATOR_ADD | OPERATOR_ELEMENT_WISE);
        let (file, op) = (&self.rules.file, if is_behind { "Conv" } else { &origin.op });
        let done = match order {
            Order::Plain => file.activations.get(op),
            Order::Blocked if is_behind => Some(&file.blocks.behind),
            Order::Blocked => file.blocks.activations.get(op),
        };
        !done.is_some_and(|done| does(done, operator)) || self.is_spelled_out(origin)
    }

    /// Whether an activation works on blocks.
    fn stands_alone(&self, operator: &Operator, origin: &Origin) -> bool {
        let blocks = &self.rules.file.blocks;
        let around = origin.spelled_out.as_ref().map(|spelled_out| &spelled_out.around);
        does(&blocks.alone, operator) && !around.is_some_and(|around| blocks.alone_unless_around.contains(around))
    }

    fn is_spelled_out(&self, origin: &Origin) -> bool {
        let around = origin.spelled_out.as_ref().map(|spelled_out| &spelled_out.around);
        around.is_some_and(|around| self.rules.file.spelled_out.contains(around))
    }

    /// Appends the activation of an operator as the steps that it is.
    fn append_apart(&mut self, at: usize, operator: &Operator, origin: &Origin) {
        let whole = Operator {
            kind: OPERATOR_ELEMENT_WISE,
            activation: operator.activation,
            ..reordered(given_by(operator))
        };
        let Some(spelled_out) = origin.spelled_out.as_ref().filter(|_| self.is_spelled_out(origin)) else {
            if !self.stands_alone(operator, origin) {
                self.leave_blocks(at, operator);
            }
            self.push(whole, None);
            return;
        };
        self.leave_blocks(at, operator);
        let arithmetic = Operator {
            activation: ACTIVATION_NONE,
            ..whole
        };
        for _ in 0..spelled_out.steps {
            self.push(arithmetic, None);
        }
    }

    /// Brings what an operator gives out of blocks before something else is done to it.
    fn leave_blocks(&mut self, at: usize, operator: &Operator) {
        if self.given[at].order == Order::Blocked {
            self.push(reordered(given_by(operator)), None);
            self.given[at].order = Order::Plain;
        }
    }

    /// In which order an operator works.
    fn orders(&self, operator: &Operator, origin: &Origin) -> Orders {
        let blocks = &self.rules.file.blocks;
        let is_one_of = |ops: &[String]| ops.contains(&origin.op);
        let orders = |is_blocked: bool| if is_blocked { Orders::BLOCKED } else { Orders::PLAIN };
        let is_whole = |channels: u32| channels.is_multiple_of(self.rules.block);
        if origin.op == SQUEEZE_EXCITE {
            return Orders {
                reads: None,
                gives: Order::Plain,
            };
        }
        if origin.rank != IMAGES {
            return Orders::PLAIN;
        }
        if origin.op == "Conv" {
            return self.of_convolution(operator);
        }
        let all_blocked = origin.reads.iter().all(|read| self.read(*read).order == Order::Blocked);
        let shape = |read: &Option<usize>| match read {
            Some(read) => given_by(&self.network.operators[*read]),
            // What goes in as another part gives it is images of one shape.
            None => self.network.operators.first().map_or((0, 0), read_by),
        };
        let channels = |read: &Option<usize>| shape(read).0;
        match origin.reads.as_slice() {
            [_] if is_one_of(&blocks.pools) => orders(is_whole(operator.channels_in)),
            [_] if is_one_of(&blocks.followed) => orders(all_blocked),
            [_] if is_one_of(&blocks.filled) => orders(all_blocked && is_whole(operator.channels_in)),
            [_] if operator.kind == OPERATOR_ELEMENT_WISE && self.stands_alone(operator, origin) => orders(all_blocked),
            [a, b] if is_one_of(&blocks.joined) => orders(all_blocked && shape(a) == shape(b)),
            reads if origin.op == "Concat" => {
                let sum: u64 = reads.iter().map(channels).map(u64::from).sum();
                let joins_channels = sum == u64::from(operator.channels_out);
                orders(all_blocked && joins_channels && reads.iter().map(channels).all(is_whole))
            }
            _ => Orders::PLAIN,
        }
    }

    fn of_convolution(&self, operator: &Operator) -> Orders {
        let (block, multiple) = (self.rules.block, self.rules.file.blocks.multiple);
        let Operator {
            channels_in,
            channels_out,
            groups,
            ..
        } = *operator;
        let (per_group_in, per_group_out) = (channels_in / groups.max(1), channels_out / groups.max(1));
        match operator.kind {
            OPERATOR_OTHER => Orders::PLAIN,
            OPERATOR_DEPTHWISE if channels_in == channels_out && channels_in.is_multiple_of(multiple) => {
                Orders::BLOCKED
            }
            OPERATOR_GROUPED if per_group_in.is_multiple_of(block) && per_group_out.is_multiple_of(block) => {
                Orders::BLOCKED
            }
            OPERATOR_DEPTHWISE | OPERATOR_GROUPED => Orders::PLAIN,
            // Fewer than fill a block, such as those of an image, are read as they come.
            _ if channels_in < block => Orders {
                gives: Order::Blocked,
                ..Orders::PLAIN
            },
            _ if channels_in.is_multiple_of(multiple) => Orders::BLOCKED,
            _ => Orders::PLAIN,
        }
    }
}

/// Whether an operator's activation is one of these names.
fn does(names: &[String], operator: &Operator) -> bool {
    let name = name_of(operator.activation, ACTIVATION_NAMES);
    names.iter().any(|known| known == name)
}

/// Dimensions of a value that has channels, height and width.
const IMAGES: usize = 4;
