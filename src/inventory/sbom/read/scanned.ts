import { isObject, listOf, mostEntries, textOf, type JsonObject, type SbomContent } from './entry.ts'

/** What `lazaret scan --format json` printed: its packages, to be judged by what is known now. */
export function readScanned(document: JsonObject): SbomContent {
  const content: SbomContent = { entries: [], problems: [] }
  const { release } = document
  if (isObject(release)) {
    const [id, versionId, prettyName] = [textOf(release['id']), textOf(release['versionId']), textOf(release['prettyName'])]
    if (id !== undefined)
      content.release = { id, ...(versionId !== undefined && { versionId }), ...(prettyName !== undefined && { prettyName }) }
  }
  for (const [at, item] of listOf(document['packages']).entries()) {
    if (!isObject(item) || at >= mostEntries) {
      content.problems.push(
        at >= mostEntries ? `it lists more than the ${mostEntries} packages that are read` : `packages[${at}] is no object`,
      )
      break
    }
    const { source } = item
    const [version, purl, licence] = [textOf(item['version']), textOf(item['purl']), textOf(item['licence'])]
    const [location, ownedBy, vendor] = [textOf(item['location']), textOf(item['ownedBy']), textOf(item['vendor'])]
    const [sourceName, sourceVersion] = isObject(source) ? [textOf(source['name']), textOf(source['version'])] : []
    content.entries.push({
      where: `packages[${at}]`,
      name: textOf(item['name']) ?? '',
      ...(version !== undefined && { version }),
      ...(purl !== undefined && { purl }),
      locations: location === undefined ? [] : [location],
      ...(licence !== undefined && { licence }),
      ...(sourceName !== undefined && { source: { name: sourceName, ...(sourceVersion !== undefined && { version: sourceVersion }) } }),
      ...(ownedBy !== undefined && { ownedBy }),
      ...(vendor !== undefined && { vendor }),
    })
  }
  // An image that could not be read whole is no better for having been written down.
  const doubts = listOf(document['doubts']).filter((note) => isObject(note) && note['doubt'] === 'unreadable')
  if (doubts.length > 0) content.problems.push('what was scanned could not be read whole')
  return content
}
