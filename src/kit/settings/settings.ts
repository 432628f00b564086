// The settings: `loadSettings` reads them, `describeSettings` shows them, the catalogue says what there is.

export { describeSettings, settingRows } from './describe.ts'
export { loadSettings } from './load.ts'
export { showAddress } from './network.ts'
export { publicUrls, type Settings } from './shape.ts'
