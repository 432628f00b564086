/** As Java spells a place inside of an archive. */
export function placeOf(location: string, within: string | undefined): string {
  return within === undefined ? location : `${location}!/${within}`
}
