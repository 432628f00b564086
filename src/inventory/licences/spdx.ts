import list from './spdx.json' with { type: 'json' }

/** What may follow WITH; the old names of licences with one in them are licences. */
function isException(id: string): boolean {
  return /exception|^Linux-syscall-note$|^GPL-CC-1\.0$|^SHL-2/i.test(id) && !/-with-/.test(id)
}

const licences = new Map(list.ids.filter((id) => !isException(id)).map((id) => [id.toLowerCase(), id]))
const exceptions = new Map(list.ids.filter(isException).map((id) => [id.toLowerCase(), id]))
const ownReference = /^(?:DocumentRef-[A-Za-z0-9.-]{1,128}:)?LicenseRef-[A-Za-z0-9.-]{1,256}$/

/** In: a word. Out: the licence that SPDX calls so, in its letter case, `+` kept; undefined where it is none. */
export function licenceId(word: string): string | undefined {
  const known = licences.get(word.toLowerCase())
  if (known !== undefined || !word.endsWith('+')) return known
  const base = licences.get(word.slice(0, -1).toLowerCase())
  return base === undefined ? undefined : `${base}+`
}

export function exceptionId(word: string): string | undefined {
  return exceptions.get(word.toLowerCase())
}

/** One that no list has, and that a document declares: `LicenseRef-Jam`. */
export function isReference(word: string): boolean {
  return ownReference.test(word)
}

/** In: a name as someone writes it. Out: a reference that says it, `LicenseRef-public-domain`. */
export function referenceTo(name: string): string {
  const word = name
    .replaceAll(/(?<=[a-zA-Z\d])\+/g, '-or-later')
    .replaceAll(/[^A-Za-z0-9.]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 100)
  return `LicenseRef-${word === '' ? 'unnamed' : word}`
}
