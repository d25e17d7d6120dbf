/** What lies around a point: the share of each label, of so many codes. */
export function place(shares, distance = 0.01, count = 40) {
  const share = new Float64Array(10);
  for (const [label, value] of Object.entries(shares)) share[label] = value;
  return { share, indices: new Int32Array(count), index: 0, distance, reach: 0.2 };
}
