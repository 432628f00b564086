// For tests only: sparse files as GNU tar stores them, in its four forms: the old header, and 0.0, 0.1 and 1.0 over PAX.

/** Out: a tar a form, each with one file of the same bytes: `head`, a hole, `tail`. */
export function sparseTars(sizeBytes = 1 << 20): Buffer[] {
  return [oldSparse(sizeBytes), pax00(sizeBytes), pax01(sizeBytes), pax10(sizeBytes)]
}

const [headText, tailText] = ['head', 'tail']
const end = Buffer.alloc(1024)

function runsOf(sizeBytes: number): [number, number][] {
  return [
    [0, headText.length],
    [sizeBytes - tailText.length, tailText.length],
  ]
}

function oldSparse(sizeBytes: number): Buffer {
  const header = headerOf('sparse-old', 'S', 8, true)
  runsOf(sizeBytes).forEach(([offset, length], at) => {
    numberInto(header, offset, 386 + at * 24)
    numberInto(header, length, 398 + at * 24)
  })
  numberInto(header, sizeBytes, 483)
  return Buffer.concat([summed(header), padded(headText + tailText), end])
}

function pax00(sizeBytes: number): Buffer {
  const runs = runsOf(sizeBytes)
  const records = runs.flatMap(([offset, length]): [string, string][] => [
    ['GNU.sparse.offset', String(offset)],
    ['GNU.sparse.numbytes', String(length)],
  ])
  const sizes: [string, string][] = [
    ['GNU.sparse.size', String(sizeBytes)],
    ['GNU.sparse.numblocks', String(runs.length)],
  ]
  return tarWith([...sizes, ...records], 'sparse-0.0', headText + tailText)
}

function pax01(sizeBytes: number): Buffer {
  return tarWith(
    [
      ['GNU.sparse.size', String(sizeBytes)],
      ['GNU.sparse.numblocks', '2'],
      ['GNU.sparse.name', 'sparse-0.1'],
      ['GNU.sparse.map', runsOf(sizeBytes).flat().join(',')],
    ],
    'GNUSparseFile.0/sparse-0.1',
    headText + tailText,
  )
}

function pax10(sizeBytes: number): Buffer {
  const map = padded(`2\n${runsOf(sizeBytes).flat().join('\n')}\n`)
  return tarWith(
    [
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 'sparse-1.0'],
      ['GNU.sparse.realsize', String(sizeBytes)],
    ],
    'GNUSparseFile.0/sparse-1.0',
    Buffer.concat([map, Buffer.from(headText + tailText)]),
  )
}

/** In: PAX records, and the file that they are about. Out: a tar of it. */
export function tarWith(records: [string, string][], name: string, body: string | Buffer): Buffer {
  const text = records.map(recordOf).join('')
  const [pax, file] = [headerOf('PaxHeaders/x', 'x', text.length, false), headerOf(name, '0', body.length, false)]
  return Buffer.concat([summed(pax), padded(text), summed(file), padded(body), end])
}

/** `LENGTH KEY=VALUE\n`, the length of all of it. */
function recordOf([key, value]: [string, string]): string {
  const rest = ` ${key}=${value}\n`
  let length = rest.length + 1
  while (`${length}${rest}`.length !== length) length++
  return `${length}${rest}`
}

/** Out: a header whose sum is not yet in it. */
export function headerOf(name: string, flag: string, sizeBytes: number, gnu: boolean): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  numberInto(header, sizeBytes, 124)
  numberInto(header, 0, 136)
  header.write(flag, 156)
  header.write(gnu ? 'ustar  \0' : 'ustar\x0000', 257, 'latin1')
  return header
}

/** Octal where it fits into eleven digits, else GNU's base-256. */
function numberInto(header: Buffer, value: number, at: number): void {
  if (value < 8 ** 11) return void header.write(`${value.toString(8).padStart(11, '0')}\0`, at)
  header.fill(0, at, at + 12)
  header[at] = 0x80
  header.writeBigUInt64BE(BigInt(value), at + 4)
}

/** In: a header. Out: the same with its sum. */
export function summed(header: Buffer): Buffer {
  header.fill(0x20, 148, 156)
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

function padded(body: string | Buffer): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}
