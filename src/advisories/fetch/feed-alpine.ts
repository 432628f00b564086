import { fetchFile } from './feed-file.ts'
import type { Feed, Wanted } from './feed.ts'

/** The newest branch that is asked for where nothing says which are wanted. */
const usual = ['v3.20', 'v3.21', 'v3.22', 'v3.23']
const repositories = ['main', 'community']

/** Alpine's security database (secdb.alpinelinux.org): `v3.22/main.json`, a file a branch and repository. */
export const alpineFeed: Feed = {
  name: 'alpine',
  origin: 'https://secdb.alpinelinux.org',
  hosts: [],
  proven: false,
  parts: (wanted) => branchesOf(wanted).flatMap((branch) => repositories.map((repository) => `${branch}/${repository}`)),
  bring(ask, tools) {
    const url = new URL(ask.base)
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${ask.part}.json`
    const family = `Alpine:${ask.part.split('/')[0] ?? ''}`
    const file = `alpine-${ask.part.replace('/', '-')}.json`
    return fetchFile(ask, url, { file, looks: 'json', fresh: { families: [family], coverage: [] } }, tools)
  },
}

function branchesOf({ ecosystems, held }: Wanted): string[] {
  const named = [...(ecosystems ?? []), ...held].flatMap((ecosystem) => /^Alpine:(v\d{1,3}\.\d{1,3}|edge)$/.exec(ecosystem)?.[1] ?? [])
  return [...new Set(named.length > 0 ? named : usual)].toSorted()
}
