import { spdxNameOf } from './names.ts'

/** What is looked at of a file that people wrote. */
const mostChars = 512 * 1024
const mostFound = 40

/** Sentences that only these licences have. */
const sentences: [string, RegExp][] = [
  [
    'MIT',
    /permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files/,
  ],
  ['ISC', /permission to use, copy, modify, and(?:\/or)? distribute this software for any purpose with or without fee is hereby granted/],
  ['Zlib', /this software is provided 'as-is', without any express or implied warranty\. in no event will the authors? be held liable/],
  [
    'HPND-sell-variant',
    /permission to use, copy, modify, distribute,? and sell this software and its documentation for any purpose is hereby granted without fee/,
  ],
  [
    'HPND',
    /permission to use, copy, modify,? and(?:\/or)? distribute this software and its documentation for any purpose and without fee is hereby granted/,
  ],
  ['Apache-2.0', /apache license,? version 2\.0, january 2004|licensed under the apache license, version 2\.0/],
  ['MPL-2.0', /subject to the terms of the mozilla public license, v\. 2\.0|^ ?mozilla public license,? version 2\.0/],
  [
    'TCL',
    /the authors hereby grant permission to use, copy, modify, distribute, and license this software and its documentation for any purpose/,
  ],
  ['Info-ZIP', /this is version \S{4,14} of the info-zip (?:copyright and )?license/],
  ['PSF-2.0', /psf license agreement for python|psf hereby grants licensee a nonexclusive, royalty-free, world-wide license/],
]

const bsd = /redistribution and use in source and binary forms, with or without modification, are permitted/
const bsdName =
  /neither the names? of|may not be used to endorse or promote products derived|names? of (?:the )?\S.{0,80} may not be used to endorse/
const bsdAdvertising = /all advertising materials mentioning features or use of this software/

/** Debian keeps the long texts once; a package says which it means, and mostly whether later versions count. */
const common = /\/usr\/share\/common-licenses\/((?:[al]?gpl|gfdl)(?:-\d(?:\.\d)?)?|apache-2\.0|artistic|mpl-\d\.\d|cc0-1\.0)/g
const later = /version (\d(?:\.\d)?)(?: of the licen[cs]e)?,? or (?:\(?at your option\)?,? )?(?:any later|newer)|(?:any|or) later version/g
/** How far before the name of the file the sentence on versions stands. */
const windowChars = 2500

/** In: a text in which licences are stated in full, or by Debian's common files. Out: those that are told for sure, in SPDX's words. */
export function licencesInText(text: string): string[] {
  const plain = text
    .slice(0, mostChars)
    .toLowerCase()
    .replaceAll(/[\s*#"“”]+/g, ' ')
    .replaceAll(/[‘’`]/g, "'")
  const found = new Set(sentences.filter(([, sentence]) => sentence.test(plain)).map(([id]) => id))
  for (const id of bsdIn(plain)) found.add(id)
  for (const match of plain.matchAll(common)) {
    const id = commonName(match[1] ?? '', plain.slice(Math.max(0, match.index - windowChars), match.index))
    if (id !== undefined) found.add(id)
    if (found.size >= mostFound) break
  }
  return [...found]
}

function bsdIn(plain: string): string[] {
  const at = plain.search(bsd)
  if (at < 0) return []
  const clauses = plain.slice(at, at + windowChars)
  return [bsdAdvertising.test(clauses) ? 'BSD-4-Clause' : bsdName.test(clauses) ? 'BSD-3-Clause' : 'BSD-2-Clause']
}

/** `gpl-2` and, before it, `either version 2 …, or (at your option) any later version` → GPL-2.0-or-later. */
function commonName(name: string, before: string): string | undefined {
  if (name === 'artistic') return 'Artistic-1.0-Perl'
  if (!/^(?:[al]?gpl|gfdl)/.test(name)) return spdxNameOf(name)
  const said = [...before.matchAll(later)].at(-1)
  const [family = '', version] = name.split('-')
  const number = said?.[1] ?? version
  return spdxNameOf(number === undefined ? family : `${family}-${number}${said === undefined ? '' : '+'}`)
}
