import assert from 'node:assert/strict'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything } from '../testing/extract.ts'
import { layerOf } from '../testing/tars.ts'
import { pythonLicence } from './python-licence.ts'

const bsd = 'Redistribution and use in source and binary forms, with or without modification, are permitted provided that:\n'
const folder = 'usr/lib/python3/site-packages/x-1.dist-info'

const licenceOf = async (stated: string, ...files: [string, string][]) => {
  const layer = await layerOf([[`${folder}/METADATA`, `Name: x\nVersion: 1\n${stated}\n`], ...files])
  const { packages, problems } = squash([layer])
  assert.deepEqual(problems, [])
  return packages[0]?.licence
}

test('the text beside the metadata says which BSD is meant, and what nothing was said of', async () => {
  assert.equal(await licenceOf('License: BSD', [`${folder}/LICENSE`, bsd]), 'BSD-2-Clause')
  assert.equal(
    await licenceOf('Classifier: License :: OSI Approved :: BSD License', [
      `${folder}/licenses/LICENSE.txt`,
      `${bsd}Neither the name of X`,
    ]),
    'BSD-3-Clause',
  )
  assert.equal(await licenceOf('', [`${folder}/COPYING`, 'Apache License\n  Version 2.0, January 2004\n']), 'Apache-2.0')
})

test('what the metadata states counts, and two texts tell nothing', async () => {
  assert.equal(await licenceOf('License: MIT', [`${folder}/LICENSE`, bsd]), 'MIT')
  assert.equal(await licenceOf('License: Dual License', [`${folder}/LICENSE`, bsd]), 'Dual License')
  assert.equal(await licenceOf('License: BSD', [`${folder}/LICENSE`, `${bsd} Apache License Version 2.0, January 2004`]), 'BSD')
  assert.ok(!pythonLicence.wants('usr/lib/python3/site-packages/x/LICENSE'))
  assert.ok(!pythonLicence.wants(`${folder}/licences.py`))
})

bearsAnything(pythonLicence, `${folder}/LICENSE`, bsd)
