/** `items` with `item` in front, cut to `max`. */
export function prepend<T>(items: readonly T[], item: T, max: number): T[] {
  return [item, ...items.slice(0, max - 1)]
}
