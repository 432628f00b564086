import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseExpression, printExpression, strictTerm } from './expression.ts'
import { allOf, spdxOf } from './licences.ts'
import { licencesInText } from './texts.ts'

/** What packages state, by who writes so, and what SPDX calls it; `-`: nothing that is sure. */
const statements: Record<string, [string, string][]> = {
  'SPDX itself, in any letter case, and its old names': [
    ['mit', 'MIT'],
    ['(MIT OR Apache-2.0)', 'MIT OR Apache-2.0'],
    ['mpl-2.0 and (lgpl-2.1-or-later or MIT)', 'MPL-2.0 AND (LGPL-2.1-or-later OR MIT)'],
    ['GPL-2.0+', 'GPL-2.0-or-later'],
    ['GPL-2.0', 'GPL-2.0-only'],
    ['GPL-2.0-only WITH classpath-exception-2.0', 'GPL-2.0-only WITH Classpath-exception-2.0'],
    ['GPL-2.0-with-classpath-exception', 'GPL-2.0-only WITH Classpath-exception-2.0'],
    ['LicenseRef-scancode-x AND MIT', 'LicenseRef-scancode-x AND MIT'],
    ['MIT AND MIT', 'MIT'],
    ['MIT AND (ISC AND MIT)', 'MIT AND ISC'],
  ],
  'Fedora, before SPDX': [
    ['GPLv2+ and LGPLv2+', 'GPL-2.0-or-later AND LGPL-2.0-or-later'],
    ['(MIT or GPLv2+) and ASL 2.0', '(MIT OR GPL-2.0-or-later) AND Apache-2.0'],
    ['GPL+ or Artistic', 'GPL-1.0-or-later OR Artistic-1.0-Perl'],
    ['BSD with advertising', 'BSD-4-Clause'],
    ['MPLv2.0 and Public Domain', 'MPL-2.0 AND LicenseRef-Public-Domain'],
    ['zlib and OpenLDAP', 'Zlib AND OLDAP-2.8'],
    ['BSD', '-'],
    ['GPLv3+ with exceptions', '-'],
  ],
  Debian: [
    ['Expat', 'MIT'],
    ['GPL-1+ or Artistic', 'GPL-1.0-or-later OR Artistic-1.0-Perl'],
    ['LGPL-3+ or GPL-2+', 'LGPL-3.0-or-later OR GPL-2.0-or-later'],
    ['GPL-2+, and MIT or Khronos', 'GPL-2.0-or-later AND (MIT OR LicenseRef-Khronos)'],
    ['GPL-3+ with Bison exception', 'GPL-3.0-or-later WITH Bison-exception-2.2'],
    ['GPL-2+ with Texinfo exception', 'GPL-2.0-or-later WITH Texinfo-exception'],
    ['GFDL-NIV-1.3+', 'GFDL-1.3-no-invariants-or-later'],
    ['public-domain', '-'],
    ['GPL-2+ with OpenSSL exception', '-'],
  ],
  R: [
    ['GPL (>= 2)', 'GPL-2.0-or-later'],
    ['GPL-2 | GPL-3', 'GPL-2.0-only OR GPL-3.0-only'],
    ['MIT + file LICENSE', 'MIT'],
    ['LGPL (>= 2.1)', 'LGPL-2.1-or-later'],
    ['Apache License (== 2.0)', 'Apache-2.0'],
    ['Part of R 4.2.2', 'GPL-2.0-only OR GPL-3.0-only'],
    ['file LICENSE', '-'],
  ],
  'PyPI, Maven, npm and people': [
    ['Apache License, Version 2.0', 'Apache-2.0'],
    ['The Apache Software License, Version 2.0', 'Apache-2.0'],
    ['GNU Lesser General Public License v2 or later (LGPLv2+)', 'LGPL-2.0-or-later'],
    ['GNU General Public License v3 (GPLv3)', 'GPL-3.0-only'],
    ['GPLv2 or later', 'GPL-2.0-or-later'],
    ['BSD 3-Clause "New" or "Revised" License', 'BSD-3-Clause'],
    ['New BSD License', 'BSD-3-Clause'],
    ['MIT/X11', 'MIT'],
    ['Eclipse Public License - v 1.0', 'EPL-1.0'],
    ['CDDL + GPLv2 with classpath exception', 'CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0'],
    ['https://www.apache.org/licenses/LICENSE-2.0.txt', 'Apache-2.0'],
    ['http://www.opensource.org/licenses/mit-license.php', 'MIT'],
    ['http://www.gnu.org/licenses/old-licenses/lgpl-2.1.html', 'LGPL-2.1-only'],
    ['https://www.eclipse.org/legal/epl-2.0/', 'EPL-2.0'],
    ['http://creativecommons.org/publicdomain/zero/1.0/', 'CC0-1.0'],
    ['https://apache.org.evil.example/licenses/LICENSE-2.0', '-'],
    ['https://example.com/licence', '-'],
    ['SEE LICENSE IN LICENSE.md', '-'],
    ['UNLICENSED', '-'],
    ['BSD License', '-'],
    ['', '-'],
  ],
}

for (const [who, cases] of Object.entries(statements))
  test(`as stated by ${who}`, () => {
    for (const [text, expected] of cases) assert.equal(spdxOf(text) ?? '-', expected, text)
  })

test('several statements that all count', () => {
  assert.equal(allOf(['GPL-2+', 'MIT or ISC', 'Jam session', 'MIT or ISC']), 'GPL-2.0-or-later AND (MIT OR ISC) AND LicenseRef-Jam-session')
  assert.equal(allOf(['GPL-2+ with OpenSSL exception']), 'LicenseRef-GPL-2-or-later-with-OpenSSL-exception')
  assert.equal(allOf([]), undefined)
})

test('whatever is stated: a valid expression that means itself, or nothing', () => {
  const word = fc.constantFrom(
    'MIT',
    'GPL-2+',
    'gpl',
    'and',
    'OR',
    'or',
    'with',
    '(',
    ')',
    ',',
    '|',
    '&',
    '+',
    'BSD',
    'x',
    'https://',
    'Artistic',
    ' ',
    '-',
  )
  const text = fc.oneof(
    fc.array(word, { maxLength: 12 }).map((words) => words.join(' ')),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
  )
  fc.assert(
    fc.property(text, (stated) => {
      for (const found of [spdxOf(stated), allOf([stated])]) {
        if (found === undefined) continue
        const read = parseExpression(found, strictTerm)
        assert.ok(read !== undefined, `${JSON.stringify(stated)} → ${found}`)
        assert.equal(printExpression(read), found)
        assert.equal(spdxOf(found) ?? found, found)
      }
    }),
    { numRuns: 2000 },
  )
})

test('no statement takes long, and none that is deep or endless is one', () => {
  const start = performance.now()
  for (const piece of [
    '(',
    'MIT and ',
    'MIT ',
    ', ',
    'or later ',
    'GPL (>= 2) ',
    '"',
    ' with the',
    'a-',
    ' + file LICENSE',
    'gnu general public ',
  ])
    for (const count of [1000, 100_000]) spdxOf(piece.repeat(count))
  assert.equal(spdxOf(`${'('.repeat(100)}MIT or ISC${')'.repeat(100)}`), undefined)
  assert.ok(performance.now() - start < 20_000)
})

test('texts: by sentences of their own, and by the files that Debian keeps once', () => {
  const gpl =
    " * you can redistribute it under the GNU General Public License; either version 2 of\n * the License, or (at your option) any later version.\nOn Debian systems, see `/usr/share/common-licenses/GPL-3'."
  assert.deepEqual(licencesInText(gpl), ['GPL-2.0-or-later'])
  assert.deepEqual(licencesInText('version 2 only.\nSee /usr/share/common-licenses/GPL-2 and "/usr/share/common-licenses/Apache-2.0".'), [
    'GPL-2.0-only',
    'Apache-2.0',
  ])
  const redistribution = 'Redistribution and use in source and binary forms, with or without\nmodification, are permitted provided that'
  assert.deepEqual(licencesInText(redistribution), ['BSD-2-Clause'])
  assert.deepEqual(licencesInText(`${redistribution} Neither the name of X may be used`), ['BSD-3-Clause'])
  assert.deepEqual(licencesInText(`${redistribution} All advertising materials mentioning features or use of this software`), [
    'BSD-4-Clause',
  ])
  assert.deepEqual(
    licencesInText(
      'Permission is hereby granted, free of charge, to any person\n obtaining a copy of this software and associated documentation files',
    ),
    ['MIT'],
  )
  assert.deepEqual(licencesInText('All rights reserved.'), [])
})
