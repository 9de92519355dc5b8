module standin

go 1.25.0
