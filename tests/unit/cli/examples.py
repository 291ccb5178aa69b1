"""The files of a small finished search."""

SUMMARY = {
    "seed": 3,
    "test_accuracy": 0.975,
    "start_parameters": 939,
    "parameters": 1558,
    "multiplications": 17256,
    "epochs_spent": 800.0,
    "epochs_trained": 95.25,
    "generations": 4,
}

LINEAGE = """\
candidate,parent,generation,operation,position,parameters,epochs_trained,val_score,status,eliminated_in
g00c00,,0,,,939,10.0,0.7304,ok,
g01c00,g00c00,1,identity,,939,40.1,0.7531,ok,g01/phase2/round1/slot0
g01c02,g00c00,1,remove_dense,13,829,31.0,0.8909,ok,
g02c05,g01c02,2,add_channels,0,1234,60.5,,diverged,g02/recuperation
"""
