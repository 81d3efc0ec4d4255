/** Builds the page into `dist/inspector`: a few files that the coordinator serves, and nothing from elsewhere. */
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  base: '/inspector/',
  build: {
    outDir: '../../../dist/inspector',
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy knows no data: scripts, and one flat folder is what the coordinator serves.
    assetsDir: '',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The coast lines are a file of their own: they are large, and only the map loads them.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'land', test: /world-atlas/ }] } } },
  },
})
