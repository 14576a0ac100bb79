//! Which operations may run at the same time: those that belong to different resources.

use std::collections::HashMap;

use crate::document::Operation;

/// The operations of `selected`, grouped by resource, both in document order. Two operations share a resource where their paths have the
/// same first segment after those that all paths share.
pub(super) fn of(operations: &[Operation<'_>], selected: &[usize]) -> Vec<Vec<usize>> {
    let segments = |index: &usize| {
        let path = operations[*index].path.trim_matches('/');
        path.split('/').collect::<Vec<_>>()
    };
    let paths: Vec<Vec<&str>> = selected.iter().map(segments).collect();
    let is_shared = |depth: usize| {
        let mut all = paths.iter().map(|path| path.get(depth));
        let first = all.next().flatten();
        first.is_some() && all.all(|segment| segment == first)
    };
    // The last segment of the shortest path names a resource, though all may share it.
    let most = paths.iter().map(Vec::len).min().unwrap_or(1) - 1;
    let shared = (0..most).take_while(|depth| is_shared(*depth)).count();
    let mut lanes: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<Option<&str>, usize> = HashMap::new();
    for (index, path) in selected.iter().zip(&paths) {
        // A resource that is named by a parameter may be any of the others of its kind.
        let own = path.get(shared).copied();
        let own = own.map(|name| if name.contains('{') { "{}" } else { name });
        let lane = *known.entry(own).or_insert_with(|| {
            lanes.push(Vec::new());
            lanes.len() - 1
        });
        lanes[lane].push(*index);
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    fn lanes(paths: &[&str]) -> Vec<Vec<usize>> {
        let paths: String = paths
            .iter()
            .map(|path| format!("  '{path}': {{get: {{responses: {{}}}}}}\n"))
            .collect();
        let text = format!("openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths:\n{paths}");
        let document = Document::parse("t", &text).unwrap();
        let operations = document.operations();
        let all: Vec<usize> = (0..operations.len()).collect();
        of(&operations, &all)
    }

    #[test]
    fn operations_share_a_lane_by_the_first_segment_that_tells_paths_apart() {
        assert_eq!(
            lanes(&["/v1/a", "/v1/b", "/v1/a/{id}", "/v1/b/{id}/c"]),
            [[0, 2], [1, 3]]
        );
        assert_eq!(
            lanes(&["/{tenant}/a", "/{tenant}/b", "/{tenant}"]),
            [[0, 1, 2]]
        );
        assert_eq!(lanes(&["/{x}", "/{y}/z", "/a"]), [vec![0, 1], vec![2]]);
        assert_eq!(lanes(&["/webhooks", "/webhooks/{id}"]), [[0, 1]]);
        assert_eq!(
            lanes(&["/v1/webhooks", "/v1/webhooks/{id}", "/v1/x"]),
            [vec![0, 1], vec![2]]
        );
        assert_eq!(lanes(&[]), Vec::<Vec<usize>>::new());
    }
}
