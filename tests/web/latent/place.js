/** What lies around a point: the share of each label. */
export function place(shares, distance = 0.01) {
  const share = new Float64Array(10);
  for (const [label, value] of Object.entries(shares)) share[label] = value;
  return { share, index: 0, distance, reach: 0.2 };
}
