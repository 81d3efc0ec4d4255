/** Shows the document of this coordinator, and lets whoever has a token try it. `ui` is for whoever debugs it. */
globalThis.ui = globalThis.SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#interface',
  deepLinking: true,
  docExpansion: 'none',
  filter: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // A token stays in this page: it is not kept in the browser, and the document is shown to nobody else.
  persistAuthorization: false,
  validatorUrl: null,
})
