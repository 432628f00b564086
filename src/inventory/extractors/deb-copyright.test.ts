import assert from 'node:assert/strict'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf } from '../testing/extract.ts'
import { layerOf, symlink } from '../testing/tars.ts'
import { debCopyright } from './deb-copyright.ts'

const path = 'usr/share/doc/zlib1g/copyright'
const machine = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: x

Files: *
Copyright: 1995 someone
License: Zlib

Files: contrib/*
License: GPL-2+ or Artistic
 a text of several lines
 .
 License: MIT

Files: debian/*
License: GPL-3+

License: Expat
 a text
`
const licenceOf = (text: string) => {
  const [fact] = factsOf(debCopyright, path, text)
  return fact !== undefined && 'manifest' in fact ? fact.manifest.licence : undefined
}

test('a machine-readable file: the names of its files, without those of the packaging', () => {
  assert.equal(licenceOf(machine), 'Zlib AND (GPL-2.0-or-later OR LicenseRef-Artistic)')
  assert.equal(
    licenceOf(machine.replace('Files: *', 'Files: debian/a').replace('Files: contrib/*', 'Files: debian/b')),
    'Zlib AND (GPL-2.0-or-later OR LicenseRef-Artistic) AND GPL-3.0-or-later',
  )
})

test('another file: what its texts are', () => {
  assert.equal(
    licenceOf(
      'This is free software; version 2.1 of the License, or (at your option) any later version.\n\nSee /usr/share/common-licenses/LGPL-2.1\n',
    ),
    'LGPL-2.1-or-later',
  )
  assert.equal(licenceOf('All rights reserved.\n'), undefined)
})

test('more licences than are kept are not cut', () => {
  const many = Array.from({ length: 201 }, (_, at) => `Files: ${at}\nLicense: own-${at}\n`).join('\n')
  assert.equal(licenceOf(`${machine.slice(0, 80)}\n\n${many}`), undefined)
})

test('each package has the licence of its file, of a folder that it shares too; what is removed says nothing', async () => {
  const status = ['zlib1g', 'zlib1g-dev', 'other', 'bare']
    .map((name) => `Package: ${name}\nStatus: install ok installed\nVersion: 1:1.2\nArchitecture: amd64\n`)
    .join('\n')
  const layer = await layerOf([
    ['var/lib/dpkg/status', status],
    [path, machine],
    symlink('usr/share/doc/zlib1g-dev', 'zlib1g'),
    symlink('usr/share/doc/other/copyright', '../zlib1g-dev/copyright'),
  ])
  const licences = (layers: (typeof layer)[]) =>
    Object.fromEntries(squash(layers).packages.map(({ name, licence }) => [name, licence ?? 'none']))
  const zlib = 'Zlib AND (GPL-2.0-or-later OR LicenseRef-Artistic)'
  assert.deepEqual(licences([layer]), { zlib1g: zlib, 'zlib1g-dev': zlib, other: zlib, bare: 'none' })
  const slim = await layerOf(['usr/share/doc/.wh..wh..opq'])
  assert.deepEqual([...new Set(Object.values(licences([layer, slim])))], ['none'])
})

bearsAnything(debCopyright, path, machine)
