// The settings: `loadSettings` reads them, `describeSettings` shows them, the catalogue says what there is.

export { type SettingPath, variableOf } from './catalogue.ts'
export { type DescribedSetting, describeSettings, settingsTable } from './describe.ts'
export { type LoadOptions, loadSettings } from './load.ts'
export { type Address, isLoopback, showAddress } from './network.ts'
export { publicUrls, type Settings } from './shape.ts'
