// Findings by the change that closes them: the strongest speaks for the fix, as in cloudscan/fix.py.

function makeFixes(numbers) {
  const roots = numbers.fix.map((_, index) => index);
  let shared = false;
  numbers.fix.forEach((step, index) => {
    if (!step) return;
    roots[index] = roots[index - step];
    shared = true;
  });
  const alone = [];
  let all = null;

  // All findings of the fix that a finding belongs to.
  function together(index) {
    all ??= gathered(roots.keys());
    return all.get(roots[index]);
  }

  function gathered(indices) {
    const groups = new Map();
    for (const index of indices) {
      const group = groups.get(roots[index]);
      if (group) group.push(index);
      else groups.set(roots[index], [index]);
    }
    return groups;
  }

  const strongest = (one, other) =>
    (numbers.severity[other] - numbers.severity[one] || numbers.score[other] - numbers.score[one] || one - other);

  const single = (indices) => indices.map((lead) => ({ lead, others: alone }));

  // Fixes in the order in which their first finding is given: the strongest of the given ones, and the others.
  function of(indices) {
    if (!shared) return single(indices);
    return [...gathered(indices).values()].map((group) => {
      const [lead, ...others] = group.length > 1 ? group.toSorted(strongest) : group;
      return { lead, others };
    });
  }

  return { of, single, together };
}
