import { licencesInText } from '../../licences/texts.ts'

/** What the classifiers of PyPI say that an SPDX identifier says too. Those that leave the version open are left out. */
const classified: ReadonlyMap<string, string> = new Map([
  ['Academic Free License (AFL)', 'AFL-3.0'],
  ['Apache Software License', 'Apache-2.0'],
  ['Boost Software License 1.0 (BSL-1.0)', 'BSL-1.0'],
  ['GNU Affero General Public License v3', 'AGPL-3.0-only'],
  ['GNU Affero General Public License v3 or later (AGPLv3+)', 'AGPL-3.0-or-later'],
  ['GNU General Public License v2 (GPLv2)', 'GPL-2.0-only'],
  ['GNU General Public License v2 or later (GPLv2+)', 'GPL-2.0-or-later'],
  ['GNU General Public License v3 (GPLv3)', 'GPL-3.0-only'],
  ['GNU General Public License v3 or later (GPLv3+)', 'GPL-3.0-or-later'],
  ['GNU Lesser General Public License v2 (LGPLv2)', 'LGPL-2.0-only'],
  ['GNU Lesser General Public License v2 or later (LGPLv2+)', 'LGPL-2.0-or-later'],
  ['GNU Lesser General Public License v3 (LGPLv3)', 'LGPL-3.0-only'],
  ['GNU Lesser General Public License v3 or later (LGPLv3+)', 'LGPL-3.0-or-later'],
  ['ISC License (ISCL)', 'ISC'],
  ['MIT License', 'MIT'],
  ['MIT No Attribution License (MIT-0)', 'MIT-0'],
  ['Mozilla Public License 1.1 (MPL 1.1)', 'MPL-1.1'],
  ['Mozilla Public License 2.0 (MPL 2.0)', 'MPL-2.0'],
  ['Python Software Foundation License', 'PSF-2.0'],
  ['The Unlicense (Unlicense)', 'Unlicense'],
  ['Universal Permissive License (UPL)', 'UPL-1.0'],
  ['Zope Public License', 'ZPL-2.1'],
  ['zlib/libpng License', 'Zlib'],
])

const classifier = /^License\s*::\s*(?:OSI Approved\s*::\s*)?(.+)$/

/**
 * In: headers of a distribution. Out: its licence: the expression, which is SPDX; else the classifiers where each has an
 * identifier; else the old free text, where that is a whole licence what it is known as. PEP 639.
 */
export function licenceOf(headers: ReadonlyMap<string, string[]>): string | undefined {
  const [expression] = headers.get('license-expression') ?? []
  if (expression !== undefined && expression !== '') return expression
  const named = (headers.get('classifier') ?? []).flatMap((text) => classifier.exec(text)?.[1] ?? [])
  const known = named.map((name) => classified.get(name))
  if (known.length > 0 && !known.includes(undefined)) return [...new Set(known)].join(' OR ')
  const text = headers.get('license')?.[0] ?? ''
  if (text.includes('\n')) return licencesInText(text).join(' AND ') || named[0]
  return text === '' || text === 'UNKNOWN' ? named[0] : text
}
