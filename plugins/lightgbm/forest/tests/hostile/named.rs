//! Attacks that ended or hung LightGBM's reader, and their next of kin, one by one.

use super::sizes::with_sizes;
use super::{TEXT, load};

/// The error of a text in which one line was replaced; the first of its name in the given tree, where there is one.
fn refused(line: &str, by: &str) -> String {
    let at = TEXT.find(&format!("\n{line}")).expect("the line is there") + 1;
    let end = at + TEXT[at..].find('\n').expect("the line ends");
    let text = format!("{}{by}{}", &TEXT[..at], &TEXT[end..]);
    let with_wrong_sizes = load(text.as_bytes()).expect_err(by);
    let error = load(with_sizes(&text).as_bytes()).expect_err(by);
    assert!(with_wrong_sizes.to_string().len() < 300 && error.to_string().len() < 300);
    error.to_string()
}

/// A line of the first tree, one of whose values is another one.
fn value(field: &str, at: usize, by: &str) -> String {
    let line = TEXT
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{field}=")[..]));
    let mut values: Vec<&str> = line.expect("the field is there").split(' ').collect();
    values[at] = by;
    format!("{field}={}", values.join(" "))
}

fn refused_value(field: &str, at: usize, by: &str) -> String {
    refused(&format!("{field}="), &value(field, at, by))
}

#[test]
fn counts_of_outputs_are_one() {
    for count in ["0", "5", "2000", "-1", "1e9", "99999999999999999999"] {
        let said = refused("num_class=", &format!("num_class={count}"));
        assert!(said.contains("line 3, num_class") && said.contains(count), "{said}");
        let said = refused("num_tree_per_iteration=", &format!("num_tree_per_iteration={count}"));
        assert!(said.contains("line 4, num_tree_per_iteration"), "{said}");
    }
}

#[test]
fn children_make_a_tree() {
    let said = refused_value("left_child", 0, "99999999");
    assert!(said.contains("tree 0, left_child: split 0 leads to 99999999"), "{said}");
    for (at, by, why) in [
        (0, "0", "leads back"),
        (3, "1", "leads back"),
        (0, "-99999999", "does not have"),
        (0, "-2147483648", "does not have"),
        (0, "2147483648", "not a number"),
        (0, "-1", "another one leads"),
        (1, "", "not a number"),
    ] {
        for side in ["left_child", "right_child"] {
            let said = refused_value(side, at, by);
            // Replacing one may be found at the other, which leads to the same place.
            assert!(
                said.contains("_child: ") && (said.contains(why) || said.contains("another one leads")),
                "{by}: {said}"
            );
        }
    }
}

#[test]
fn numbers_are_finite() {
    for by in ["nan", "NaN", "inf", "-inf", "1e999"] {
        let said = refused_value("leaf_value", 2, by);
        assert!(said.contains("tree 0, leaf_value"), "{said}");
    }
    for by in ["nan", "-inf", "-1e999"] {
        let said = refused_value("threshold", 2, by);
        assert!(said.contains("tree 0, threshold"), "{said}");
    }
    refused("shrinkage=", "shrinkage=nan");
    // Each is finite, and their sum is not.
    let huge = TEXT
        .lines()
        .map(|line| match line.strip_prefix("leaf_value=") {
            Some(values) => format!(
                "leaf_value={}\n",
                values.split(' ').map(|_| "1e308").collect::<Vec<_>>().join(" ")
            ),
            None => format!("{line}\n"),
        })
        .collect::<String>();
    let said = load(with_sizes(&huge).as_bytes()).unwrap_err().to_string();
    assert!(said.contains("no finite sum"), "{said}");
}

#[test]
fn sizes_agree() {
    for (line, by) in [
        ("num_leaves=", "num_leaves=0"),
        ("num_leaves=", "num_leaves=1"),
        ("num_leaves=", "num_leaves=1000000000"),
        ("num_leaves=", "num_leaves=131072"),
        ("num_leaves=", "num_leaves=-1"),
        ("max_feature_idx=", "max_feature_idx=0"),
        ("max_feature_idx=", "max_feature_idx=4294967295"),
        ("max_feature_idx=", "max_feature_idx=-1"),
        ("max_feature_idx=", "max_feature_idx=1000000"),
        ("feature_names=", "feature_names=a b"),
        ("feature_infos=", "feature_infos="),
        ("leaf_weight=", "leaf_weight=1"),
        ("internal_count=", "internal_count="),
        ("num_cat=", "num_cat=1000000000"),
        ("is_linear=", "is_linear=1"),
        ("objective=", "objective=binary sigmoid:1"),
        ("objective=", "objective=regression sqrt"),
        ("version=", "version=v3"),
        ("Tree=0", "Tree=1"),
    ] {
        refused(line, by);
    }
    for by in ["9", "4294967295", "-1"] {
        let said = refused_value("split_feature", 1, by);
        assert!(said.contains("split_feature"), "{said}");
    }
    for by in ["1", "3", "12", "14", "16", "255", "256", "-1"] {
        let said = refused_value("decision_type", 1, by);
        assert!(said.contains("decision_type"), "{said}");
    }
    for sizes in ["", "0", "99999999999", "1 2 3"] {
        let line = TEXT
            .lines()
            .find(|line| line.starts_with("tree_sizes="))
            .expect("sizes");
        let text = TEXT.replace(line, &format!("tree_sizes={sizes}"));
        load(text.as_bytes()).expect_err(sizes);
    }
}

#[test]
fn a_text_ends_where_it_should() {
    for length in 0..TEXT.len() {
        let said = load(&TEXT.as_bytes()[..length]).expect_err("cut").to_string();
        assert!(!said.is_empty());
    }
    for more in ["\n", "x", "\n\npandas_categorical:null\n", "\0"] {
        load(format!("{TEXT}{more}").as_bytes()).expect_err(more);
    }
    load(&[TEXT.as_bytes(), TEXT.as_bytes()].concat()).expect_err("twice");
    load(b"\xff\xfe").expect_err("no UTF-8");
    load(TEXT.replace('\n', "\r\n").as_bytes()).expect_err("other line ends");
}
