// Build of the console: one small main bundle, heavy parts in chunks of the pages that need them.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const SWAGGER_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE']

/** Puts the API documentation viewer beside the console, so that nothing is fetched from other sites. */
function docsAssets(): Plugin {
  const folder = new URL('./node_modules/swagger-ui-dist/', import.meta.url)
  return {
    name: 'docs-assets',
    apply: 'build',
    generateBundle() {
      for (const name of SWAGGER_FILES) {
        const source = readFileSync(new URL(name, folder))
        this.emitFile({ type: 'asset', fileName: `docs-assets/${name}`, source })
      }
    },
  }
}

export default defineConfig({
  plugins: [vue(), docsAssets()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
    __INTLIFY_DROP_MESSAGE_COMPILER__: 'false',
  },
  build: {
    outDir: 'dist',
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { '/api': process.env.OPSJOB_DEV_API ?? 'http://127.0.0.1:8000' } },
})
