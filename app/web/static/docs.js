// Starts Swagger UI on this site's own description of its API.  Tokens given to it are forgotten with the page.
"use strict";

window.addEventListener("DOMContentLoaded", () => {
  window.SwaggerUIBundle({
    url: "/api/openapi.json",
    dom_id: "#swagger",
    deepLinking: true,
    persistAuthorization: false,
    validatorUrl: null,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    // Calls made from this page carry the token and nothing else: the API never reads cookies.
    requestInterceptor: (request) => { request.credentials = "omit"; return request; },
  });
});
